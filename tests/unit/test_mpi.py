import os

from bpstudy.dynamics import mpi


def test_settings_are_put_in_and_the_users_own_win(monkeypatch):
    monkeypatch.setattr(os, "environ", {"OMPI_MCA_hwloc_base_binding_policy": "core"})
    mpi.prepare_environment()
    assert os.environ == mpi.SETTINGS | {"OMPI_MCA_hwloc_base_binding_policy": "core"}
