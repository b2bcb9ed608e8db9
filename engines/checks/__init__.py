"""The contract, as checks that any engine or generator can be put to: our own in the tests, others' by `studio check`."""

from engines.checks.generators import GENERATORS
from engines.checks.package import CHECKS, Finding, package_findings
from engines.checks.subject import Check, Shortfall, Subject, quick

__all__ = ["CHECKS", "GENERATORS", "Check", "Finding", "Shortfall", "Subject", "package_findings", "quick"]
