"""REST: what the booking platform shows a staff member who wants appointments on a telephone. No secret is in it."""

from __future__ import annotations

import base64

from gateway.web import devices
from gateway.web.api import views
from gateway.web.api.frame import Call, Json, Operation
from gateway.web.api.schema import Flag, Text, answered

_DEVICES = answered(
    "DeviceSetup",
    {
        "staff": views.ID,
        "user_name": Text(about="To log in with, beside an app password"),
        "caldav_url": Text(most=2000, about="The address of the server; the host name is enough for programs that search"),
        "principal_url": Text(most=2000),
        "davx5_url": Text(most=2000, about="Opens account set-up in DAVx⁵ on Android"),
        "davx5_code": Text(most=100_000, about="The same as a QR code: SVG"),
        "profile": Text(most=100_000, about="Apple configuration profile in base64; to be served as profile_type under profile_name"),
        "profile_type": Text(about=devices.PROFILE_TYPE),
        "profile_name": Text(most=400),
        "profile_signed": Flag(),
    },
)


def _devices(call: Call) -> Json:
    person = views.staff_named(call.snapshot, call.path["id"])
    account = devices.Account(public_url=call.parts.public_url, handle=person.handle, name=person.name, company=call.snapshot.company.name)
    profile, sign, link = devices.profile(account), call.parts.sign, devices.account_link(account)
    return {
        "staff": person.id,
        "user_name": account.handle,
        "caldav_url": account.server,
        "principal_url": account.principal,
        "davx5_url": link,
        "davx5_code": devices.code_as_svg(link).decode(),
        "profile": base64.b64encode(sign(profile) if sign is not None else profile).decode(),
        "profile_type": devices.PROFILE_TYPE,
        "profile_name": account.file_name,
        "profile_signed": sign is not None,
    }


OPERATIONS = [
    Operation(
        method="GET",
        path="/staff/{id}/devices",
        name="getDeviceSetup",
        tag="staff",
        summary="What sets up a staff member's devices without typing",
        run=_devices,
        answer=_DEVICES,
    ),
]
