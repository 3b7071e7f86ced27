"""The contracts of the ports, as test classes for adapters to inherit. They need pytest.

class TestMyRequestLog(RequestLogContract):
    @pytest.fixture
    def log(self) -> RequestLog:
        return MyRequestLog()
"""

from diamond_core.testing.exclusive_work_contract import ExclusiveWorkContract
from diamond_core.testing.model_contract import ModelContract, ModelFamilyContract
from diamond_core.testing.model_repository_contract import ModelRepositoryContract
from diamond_core.testing.monitoring_store_contract import MonitoringStoreContract
from diamond_core.testing.outcome_log_contract import OutcomeLogContract, an_outcome
from diamond_core.testing.pipeline_runs_contract import PipelineRunsContract
from diamond_core.testing.request_log_contract import RequestLogContract
from diamond_core.testing.samples import (
    FormulaModel,
    a_card,
    a_fitted_model,
    an_exchange,
    load_formula,
    some_stones,
)
from diamond_core.testing.shadow_log_contract import ShadowLogContract, a_shadow_price
from diamond_core.testing.shared_store import SharedStore
from diamond_core.testing.stone_source_contract import (
    LargeStoneSourceContract,
    StoneSourceContract,
)
from diamond_core.testing.stone_store_contract import StoneStoreContract

__all__ = [
    "ExclusiveWorkContract",
    "FormulaModel",
    "LargeStoneSourceContract",
    "ModelContract",
    "ModelFamilyContract",
    "ModelRepositoryContract",
    "MonitoringStoreContract",
    "OutcomeLogContract",
    "PipelineRunsContract",
    "RequestLogContract",
    "ShadowLogContract",
    "SharedStore",
    "StoneSourceContract",
    "StoneStoreContract",
    "a_card",
    "a_fitted_model",
    "a_shadow_price",
    "an_exchange",
    "an_outcome",
    "load_formula",
    "some_stones",
]
