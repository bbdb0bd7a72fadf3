import pytest

FOLDERS = ["unit", "workflow"]  # in this order, others after them


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is fast and small comes first, so that a failure shows early; slow tests come last."""

    def order(item: pytest.Item) -> tuple[bool, int]:
        folder = item.path.parent.name
        return item.get_closest_marker("slow") is not None, FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)

    items.sort(key=order)
