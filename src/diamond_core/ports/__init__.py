"""The ports of the core. ``diamond_core.testing`` has the contract of each port."""

from diamond_core.ports.exclusive_work import ExclusiveWork
from diamond_core.ports.model_repository import ModelRepository
from diamond_core.ports.models import (
    ESTIMATOR_FILE,
    ONNX_FILE,
    REPORT_FILE,
    FittedModel,
    Model,
    ModelFamily,
    ModelLoader,
    ReportInput,
    ReportWriter,
)
from diamond_core.ports.monitoring_store import MonitoringStore
from diamond_core.ports.outcome_log import OutcomeLog
from diamond_core.ports.pipeline_runs import Notify, PipelineRuns, notify_nobody
from diamond_core.ports.request_log import Background, RequestLog
from diamond_core.ports.shadow_log import ShadowLog
from diamond_core.ports.stone_source import BATCH_ROWS, DivisibleSource, StoneSource
from diamond_core.ports.stone_store import StoneStore, StoneVersion
from diamond_core.ports.surroundings import Clock, Progress, no_progress

__all__ = [
    "BATCH_ROWS",
    "ESTIMATOR_FILE",
    "ONNX_FILE",
    "REPORT_FILE",
    "Background",
    "Clock",
    "DivisibleSource",
    "ExclusiveWork",
    "FittedModel",
    "Model",
    "ModelFamily",
    "ModelLoader",
    "ModelRepository",
    "MonitoringStore",
    "Notify",
    "OutcomeLog",
    "PipelineRuns",
    "Progress",
    "ReportInput",
    "ReportWriter",
    "RequestLog",
    "ShadowLog",
    "StoneSource",
    "StoneStore",
    "StoneVersion",
    "no_progress",
    "notify_nobody",
]
