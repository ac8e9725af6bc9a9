from copy import deepcopy
from decimal import Decimal
import json
from pathlib import Path
import sys

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "src"))
CLAIM = json.loads((HERE / "claim.json").read_text(), parse_float=Decimal)


@pytest.fixture
def claim():
    """A clean professional claim of one outpatient visit, free to be spoilt."""
    return deepcopy(CLAIM)
