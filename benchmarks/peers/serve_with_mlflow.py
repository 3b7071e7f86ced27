"""Serve a graph with MLflow's server, two workers.

mlflow-env/bin/python serve_with_mlflow.py MODEL.ONNX PORT
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import mlflow.onnx
import onnx

graph, port = sys.argv[1:]
folder = Path(tempfile.mkdtemp()) / "model"
mlflow.onnx.save_model(onnx.load(graph), folder)
program = Path(sys.executable).with_name("mlflow")
arguments = [
    *("models", "serve", "--model-uri", str(folder), "--env-manager", "local"),
    *("--port", port, "--workers", "2"),
]
path = os.pathsep.join((str(program.parent), os.environ["PATH"]))
os.execve(program, [str(program), *arguments], os.environ | {"PATH": path})
