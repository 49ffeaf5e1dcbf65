"""What the tests of this room share."""

import pytest

MANY_EXAMPLES_S = 360
"""Three times a single test's time: a property looks at dozens of examples, also while others use the machine."""


def pytest_collection_modifyitems(items):
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(MANY_EXAMPLES_S))
