"""The bridge: engine, adapters, imports; what the adapters' contract asserts is explained like the assertions of a test."""

import pytest

pytest.register_assert_rewrite("tests.bridge.contract")
