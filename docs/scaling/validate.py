"""Validates docs/scaling/kubernetes.yaml against Kubernetes's own schemas, unknown fields refused.

uv pip install --target /tmp/schemas kubernetes-validate
PYTHONPATH=/tmp/schemas .nox/kit/bin/python docs/scaling/validate.py
"""

from pathlib import Path

import kubernetes_validate
import yaml

version = kubernetes_validate.latest_version()
for document in yaml.safe_load_all((Path(__file__).parent / "kubernetes.yaml").read_text(encoding="utf-8")):
    kubernetes_validate.validate(document, version, strict=True)
    print(f"Kubernetes {version}: {document['kind']} {document['metadata']['name']} is valid")
