"""Tests of the protocols. The shared suite's assertions explain themselves like those of a test file."""

import pytest

pytest.register_assert_rewrite("tests.protocols.conformance", "tests.protocols.session")
