"""Commands about what can be booked, and by whom: services and customers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import frame, shapes
from gateway.cli.frame import Office, Shown, command
from gateway.errors import Conflict, Missing
from gateway.model import Customer, CustomerId, Service, ServiceId

if TYPE_CHECKING:
    from gateway.store import Snapshot

service = typer.Typer(help="What can be booked.", no_args_is_help=True)
customer = typer.Typer(help="Who books.", no_args_is_help=True)

Someone = Annotated[str, typer.Argument(metavar="CUSTOMER", help="E-mail address, name or id.")]


@command(service, "add")
def add_service(
    office: Office,
    name: Annotated[str, typer.Option("--name", parser=frame.words)],
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=1440, help="How long it takes.")],
    buffer_before: Annotated[int, typer.Option(min=0, max=1440, help="Minutes kept free before.")] = 0,
    buffer_after: Annotated[int, typer.Option(min=0, max=1440, help="Minutes kept free afterwards.")] = 0,
) -> Shown:
    """Offer a service."""
    from gateway import desk
    from gateway.store import fresh_id

    made = Service(
        id=ServiceId(fresh_id()),
        name=name,
        duration=timedelta(minutes=minutes),
        buffer_before=timedelta(minutes=buffer_before),
        buffer_after=timedelta(minutes=buffer_after),
    )
    with office.writing() as tx:
        if any(each.name.casefold() == name.casefold() for each in tx.services()):
            raise Conflict(f"There is a service {name} already.")
        desk.save_service(tx, made, office.now)
    return Shown(shapes.service(made))


@command(service, "list")
def list_services(office: Office) -> Shown:
    """All services."""
    with office.reading() as snapshot:
        return Shown([shapes.service(each) for each in snapshot.services()])


@command(service, "show")
def show_service(office: Office, name: Annotated[str, typer.Argument(metavar="SERVICE", help="Name or id.")]) -> Shown:
    """One service."""
    with office.reading() as snapshot:
        return Shown(shapes.service(service_named(snapshot, name)))


@command(customer, "add")
def add_customer(
    office: Office,
    name: Annotated[str, typer.Option("--name", parser=frame.words)],
    email: Annotated[str, typer.Option("--email", parser=frame.email, help="Where letters go.")],
    locale: Annotated[str | None, typer.Option("--locale", help="Language of letters; the company's unless told.")] = None,
    zone: Annotated[str | None, typer.Option("--zone", parser=frame.zone, help="The company's unless told.")] = None,
    phone: Annotated[str, typer.Option("--phone")] = "",
) -> Shown:
    """Note a customer."""
    from gateway import desk
    from gateway.store import fresh_id

    with office.writing() as tx:
        made = Customer(
            id=CustomerId(fresh_id()),
            name=name,
            email=email,
            locale=locale or tx.company.locale,
            zone=zone or tx.company.zone,
            phone=phone,
        )
        desk.save_customer(tx, made, office.now)
    return Shown(shapes.customer(made))


@command(customer, "list")
def list_customers(office: Office) -> Shown:
    """All customers."""
    with office.reading() as snapshot:
        rows = [shapes.customer(each) for each in snapshot.customers()]
    return Shown(rows, columns=("name", "email", "locale", "time_zone", "phone"))


@command(customer, "show")
def show_customer(office: Office, someone: Someone) -> Shown:
    """One customer."""
    with office.reading() as snapshot:
        return Shown(shapes.customer(customer_named(snapshot, someone)))


@command(customer, "change")
def change_customer(
    office: Office,
    someone: Someone,
    name: Annotated[str | None, typer.Option("--name", parser=frame.words)] = None,
    email: Annotated[str | None, typer.Option("--email", parser=frame.email)] = None,
    locale: Annotated[str | None, typer.Option("--locale")] = None,
    zone: Annotated[str | None, typer.Option("--zone", parser=frame.zone)] = None,
    phone: Annotated[str | None, typer.Option("--phone")] = None,
) -> Shown:
    """Change facts about a customer; what is not named stays."""
    from gateway import desk

    with office.writing() as tx:
        old = customer_named(tx, someone)
        made = replace(
            old,
            name=name or old.name,
            email=email or old.email,
            locale=locale or old.locale,
            zone=zone or old.zone,
            phone=old.phone if phone is None else phone,
        )
        desk.save_customer(tx, made, office.now)
    return Shown(shapes.customer(made))


def service_named(snapshot: Snapshot, name: str) -> Service:
    """By id or name (any case). Raises Missing."""
    for offer in snapshot.services():
        if name == offer.id or name.casefold() == offer.name.casefold():
            return offer
    raise Missing(f"There is no service {name}.")


def customer_named(snapshot: Snapshot, name: str) -> Customer:
    """By id, e-mail address or name (any case). Raises Missing, Conflict when several fit."""
    folded = name.casefold()
    found = [each for each in snapshot.customers() if name == each.id or folded in (each.email.casefold(), each.name.casefold())]
    if not found:
        raise Missing(f"There is no customer {name}.")
    if len(found) > 1:
        raise Conflict(f"There are {len(found)} customers {name}; say which by id: {', '.join(each.id for each in found)}")
    return found[0]
