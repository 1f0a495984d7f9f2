"""Companies, people, groups, services and customers, kept from the command line."""

from __future__ import annotations

import pytest

from tests.cli.house import Shell


def test_a_company_begins_with_the_policy_of_the_settings(shell: Shell) -> None:
    shell.json("migrate")
    made = shell.json(
        "company", "add", "--name", "Café Été", "--zone", "Europe/Paris", GATEWAY_SYNC__HOLD_SECONDS="7", GATEWAY_POLICY__ON_DELETE="cancel"
    )
    assert (made["slug"], made["time_zone"], made["hold_seconds"], made["on_delete"]) == ("cafe-ete", "Europe/Paris", 7, "cancel")
    assert made["bidirectional"] is False
    assert shell.json("company", "show") == made
    assert shell.json("company", "list") == [made]


def test_a_policy_changes_only_where_it_is_told_to(gateway: Shell) -> None:
    before = gateway.json("company", "show")
    assert before["bidirectional"] is True
    changed = gateway.json("company", "change", "--no-bidirectional", "--hold-seconds", "0")
    assert changed == {**before, "bidirectional": False, "hold_seconds": 0}
    assert gateway.json("company", "show") == changed


def test_with_two_companies_the_command_line_asks_which(gateway: Shell) -> None:
    gateway.json("company", "add", "--name", "Other", "--zone", "Asia/Tokyo")
    asked = gateway("staff", "list")
    assert asked.code == 2
    assert "example-ltd" in asked.err
    assert "other" in asked.err
    assert gateway.json("staff", "list", "--company", "other") == []
    assert len(gateway.json("staff", "list", "--company", "example-ltd")) == 2


def test_two_companies_do_not_share_a_slug(gateway: Shell) -> None:
    again = gateway("company", "add", "--name", "Example Ltd", "--zone", "Europe/Paris")
    assert (again.code, again.err.count("\n")) == (1, 1)


def test_a_handle_comes_from_the_name_and_is_never_given_twice(gateway: Shell) -> None:
    second = gateway.json("staff", "add", "--name", "John Smith", "--email", "john.smith.2@example.com")
    assert second["handle"] == "john-smith-2"
    assert second["calendar_url"] == "https://calendar.example.com/dav/john-smith-2/appointments/"
    taken = gateway("staff", "add", "--name", "Jon", "--email", "jon@example.com", "--handle", "john-smith")
    assert (taken.code, taken.err.count("\n")) == (1, 1)


@pytest.mark.parametrize("name", ["john-smith", "john.smith@example.com", "John.Smith@Example.com"])
def test_a_staff_member_is_found_by_handle_and_address(gateway: Shell, name: str) -> None:
    assert gateway.json("staff", "show", name)["name"] == "John Smith"


def test_working_hours_are_set_for_the_whole_week(gateway: Shell) -> None:
    set_ = gateway.json("staff", "hours", "john-smith", "Mon-Wed 08:00-12:00,13:00-18:00", "sat 09:00-12:00")
    assert set_["hours"] == [
        "Mon 08:00-12:00, 13:00-18:00",
        "Tue 08:00-12:00, 13:00-18:00",
        "Wed 08:00-12:00, 13:00-18:00",
        "Sat 09:00-12:00",
    ]
    assert gateway.json("staff", "show", "john-smith")["hours"] == set_["hours"]


@pytest.mark.parametrize("line", ["Mon", "Mon 8-12", "Mon 12:00-08:00", "Fri-Mon 08:00-09:00", "Mon 08:00-24:01", "Someday 08:00-12:00"])
def test_hours_that_make_no_sense_are_a_usage_error(gateway: Shell, line: str) -> None:
    assert gateway("staff", "hours", "john-smith", line).code == 2


def test_facts_about_a_staff_member_change_and_the_handle_stays(gateway: Shell) -> None:
    changed = gateway.json("staff", "change", "john-smith", "--email", "j.smith@example.com", "--zone", "Europe/London", "--no-active")
    assert (changed["handle"], changed["email"], changed["time_zone"], changed["active"]) == (
        "john-smith",
        "j.smith@example.com",
        "Europe/London",
        False,
    )
    assert changed["name"] == "John Smith"


def test_a_group_is_joined_and_left(gateway: Shell) -> None:
    made = gateway.json("group", "add", "--name", "Front desk", "--member", "john-smith")
    assert (made["slug"], made["members"]) == ("front-desk", ["john-smith"])
    assert sorted(gateway.json("group", "join", "front-desk", "emma-morris")["members"]) == ["emma-morris", "john-smith"]
    assert gateway.json("group", "leave", "front-desk", "john-smith")["members"] == ["emma-morris"]
    assert gateway.json("group", "show", "front-desk")["members"] == ["emma-morris"]
    assert gateway.json("staff", "show", "emma-morris")["groups"] == ["front-desk"]


def test_services_and_customers_are_kept(gateway: Shell) -> None:
    offer = gateway.json("service", "add", "--name", "Workshop", "--minutes", "90", "--buffer-after", "15")
    assert (offer["duration_minutes"], offer["buffer_after_minutes"]) == (90, 15)
    assert gateway.json("service", "show", "workshop") == offer
    assert {each["name"] for each in gateway.json("service", "list")} == {"Advice", "Workshop"}
    changed = gateway.json("customer", "change", "ann.canary@example.com", "--locale", "fr", "--phone", "+33 1 55")
    assert (changed["locale"], changed["phone"], changed["name"]) == ("fr", "+33 1 55", "Ann Canaryname")
    assert gateway.json("customer", "show", "Ann Canaryname") == changed
    assert gateway.json("customer", "list") == [changed]


def test_a_name_that_fits_two_customers_is_not_guessed(gateway: Shell) -> None:
    gateway.json("customer", "add", "--name", "Ann Canaryname", "--email", "other.ann@example.com")
    told = gateway("customer", "show", "Ann Canaryname")
    assert told.code == 1
    assert "2 customers" in told.err


@pytest.mark.parametrize(
    "words",
    [
        ("staff", "show", "nobody"),
        ("group", "show", "nothing"),
        ("service", "show", "nothing"),
        ("customer", "show", "nobody"),
        ("appointment", "show", "nothing"),
        ("explain", "nothing"),
        ("app-password", "revoke", "nothing"),
        ("api-key", "revoke", "nothing"),
        ("feed", "revoke", "nothing"),
        ("feed", "add", "--staff", "nobody"),
        ("staff", "list", "--company", "nothing"),
    ],
)
def test_what_is_not_there_is_told_in_one_sentence(gateway: Shell, words: tuple[str, ...]) -> None:
    told = gateway(*words)
    assert told.code == 1
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    "words",
    [
        ("staff", "add", "--name", "X", "--email", "no address"),
        ("staff", "add", "--name", " ", "--email", "x@example.com"),
        ("staff", "add", "--name", "X", "--email", "x@example.com", "--zone", "Mars/Olympus"),
        ("staff", "add", "--name", "漢字", "--email", "x@example.com"),
        ("service", "add", "--name", "X", "--minutes", "0"),
        ("company", "add", "--name", "X"),
        ("feed", "add", "--staff", "john-smith", "--group", "x"),
        ("nonsense",),
    ],
)
def test_a_mistake_in_the_command_is_a_usage_error(gateway: Shell, words: tuple[str, ...]) -> None:
    told = gateway(*words)
    assert told.code == 2
    assert "Traceback" not in told.err


def test_a_secretary_is_let_into_her_providers_calendars_and_out_again(gateway: Shell) -> None:
    assert gateway.json("staff", "delegates") == []
    made = gateway.json("staff", "delegate", "john-smith", "emma.morris@example.com")
    assert made == {
        "owner": "john-smith",
        "delegate": "emma-morris",
        "write": False,
        "calendar_url": "https://calendar.example.com/dav/john-smith/appointments/",
    }
    assert gateway.json("staff", "delegate", "john-smith", "emma-morris", "--write")["write"] is True
    assert [each["write"] for each in gateway.json("staff", "delegates", "john-smith")] == [True]
    assert gateway.json("staff", "delegates", "emma-morris") == []
    assert gateway.json("staff", "undelegate", "john-smith", "emma-morris")["ended"] is True
    assert gateway.json("staff", "delegates") == []


@pytest.mark.parametrize(
    "words", [("delegate", "john-smith", "john-smith"), ("delegate", "john-smith", "nobody"), ("undelegate", "john-smith", "emma-morris")]
)
def test_what_cannot_be_delegated_is_said_in_a_sentence(gateway: Shell, words: tuple[str, ...]) -> None:
    ran = gateway("staff", *words)
    assert (ran.code, ran.err.count("\n")) == (1, 1)
