from . import test_prepare
