"""What any adapter of a port must do, as test classes to inherit from. They need pytest.

class TestMyRequestLog(RequestLogContract):
    @pytest.fixture
    def log(self) -> RequestLog:
        return MyRequestLog()
"""

from diamond_core.testing.model_contract import ModelContract, ModelFamilyContract
from diamond_core.testing.model_repository_contract import ModelRepositoryContract
from diamond_core.testing.request_archive_contract import RequestArchiveContract
from diamond_core.testing.request_log_contract import RequestLogContract
from diamond_core.testing.samples import (
    FormulaModel,
    a_card,
    a_fitted_model,
    an_exchange,
    some_stones,
)
from diamond_core.testing.source_contract import DiamondSourceContract

__all__ = [
    "DiamondSourceContract",
    "FormulaModel",
    "ModelContract",
    "ModelFamilyContract",
    "ModelRepositoryContract",
    "RequestArchiveContract",
    "RequestLogContract",
    "a_card",
    "a_fitted_model",
    "an_exchange",
    "some_stones",
]
