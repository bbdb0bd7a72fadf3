from bpstudy.imports import modules_behind


def code(*modules):
    """Source files of these modules and of all they import: a change in one makes the results stale."""
    return [str(path) for path in modules_behind(*modules)]
