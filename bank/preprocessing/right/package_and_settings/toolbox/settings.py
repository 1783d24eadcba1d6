import json
from pathlib import Path

SETTINGS = json.loads((Path(__file__).parent.parent / "settings.json").read_text())
