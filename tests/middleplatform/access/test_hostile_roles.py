"""Whatever is sent, with the token of every role: no failure, the described form, nothing from beyond the scope."""

from __future__ import annotations

import time

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from middleplatform.access import tokens
from middleplatform.access.policy import ROLES
from middleplatform.access.scope import Scope
from tests.middleplatform.access.test_matrix import MATRIX
from tests.middleplatform.api.build import batch, id_of
from tests.middleplatform.api.stage import until
from tests.servers import CODE

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
LEFT_OUT = r"/sign-in$|/me/password$|/tokens/\{number\}$|/exports"
"""A guessed password is slowed down, one who revokes the own token sees nothing more, and each export is a process of
its own: none of it is meant here."""
BEYOND = {("POST /api/v1/dictionaries", 403)}
"""A dictionary is the whole mine's, and these tokens see a part of it."""
HIDDEN = ("一号水泵", "水仓", *(str(id_of(f"pump1/{key}")) for key in ("level", "flow")))
NAMES = st.sampled_from(
    ["belt1/speed", "pump1/level", f"{CODE}/pump1/flow", str(id_of("pump1/level")), "pump1", "belt1"]
)


@pytest.mark.timeout(540)
@pytest.mark.parametrize("role", ROLES)
def test_the_description_holds_for_every_role_in_its_scope(platform, role):
    ts = time.time_ns() // 1000 - 1_000_000
    platform.send(batch(platform.next_number(), ("belt1/speed", ts, 2.0, 192), ("pump1/level", ts, 7.0, 192)))
    until(lambda: platform.get("history", point="pump1/level", start="-1m").json()["series"][0]["samples"]["ts"])
    east = Scope.of({"areas": ["east"]})
    headers = {"Authorization": f"Bearer {tokens.create_token(platform.home, 'fuzz', role, scope=east)}"}
    with platform.client() as client:
        schema = schemathesis.openapi.from_dict(client.get("/api/openapi.json").json())
    allowed = {(row["method"], row["path"]) for row in MATRIX if row[role] == "yes"}
    described = [each.ok() for each in schema.exclude(path_regex=LEFT_OUT).get_all_operations()]
    operations = [each for each in described if (each.method.upper(), each.path) in allowed]
    seen: set[tuple[str, int]] = set()

    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(st.data())
    def every(data):
        for operation in operations:
            case = data.draw(operation.as_strategy())
            given = {field.name for field in operation.query} & {"point", "equipment"}
            for field in given:
                if data.draw(st.booleans()):
                    case.query = {**(case.query or {}), field: data.draw(NAMES)}
            answer = case.call(base_url=platform.url, headers=headers)
            seen.add((f"{operation.method.upper()} {operation.path}", answer.status_code))
            case.validate_response(answer, checks=CHECKS)
            said = answer.content.decode("utf-8", "replace")  # some forms are no text
            assert not [word for word in HIDDEN if word in said and word not in str(case.query)]

    every()
    assert {path for path, status in seen if status < 400} >= {"GET /api/v1/health", "GET /api/v1/me"}
    assert not [each for each in seen - BEYOND if each[1] in {401, 403}], "the matrix says that these are served"
