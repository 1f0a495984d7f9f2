"""The types of Graph v1.0 that calendars are made of, as facts: properties, their types, their values. And a check against them.

Taken from the documented resources (event, outlookItem, dateTimeTimeZone, patternedRecurrence, subscription …) and compared with
the comments of the published TypeScript types 2.43.1. `?` marks what may be null; `[]` a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

ENUMS: dict[str, tuple[str, ...]] = {
    "eventType": ("singleInstance", "occurrence", "exception", "seriesMaster"),
    "freeBusyStatus": ("unknown", "free", "tentative", "busy", "oof", "workingElsewhere"),
    "importance": ("low", "normal", "high"),
    "sensitivity": ("normal", "personal", "private", "confidential"),
    "bodyType": ("text", "html"),
    "responseType": ("none", "organizer", "tentativelyAccepted", "accepted", "declined", "notResponded"),
    "attendeeType": ("required", "optional", "resource"),
    "onlineMeetingProviderType": ("unknown", "skypeForBusiness", "skypeForConsumer", "teamsForBusiness"),
    "dayOfWeek": ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"),
    "recurrencePatternType": ("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"),
    "recurrenceRangeType": ("endDate", "noEnd", "numbered"),
    "weekIndex": ("first", "second", "third", "fourth", "last"),
    "locationType": (
        "default",
        "conferenceRoom",
        "homeAddress",
        "businessAddress",
        "geoCoordinates",
        "streetAddress",
        "hotel",
        "restaurant",
        "localBusiness",
        "postalAddress",
    ),
    "locationUniqueIdType": ("unknown", "locationStore", "directory", "private", "bing"),
    "calendarColor": (
        "auto",
        "lightBlue",
        "lightGreen",
        "lightOrange",
        "lightGray",
        "lightYellow",
        "lightTeal",
        "lightPink",
        "lightBrown",
        "lightRed",
        "maxColor",
    ),
    "changeType": ("created", "updated", "deleted"),
    "lifecycleEventType": ("missed", "subscriptionRemoved", "reauthorizationRequired"),
}

PATTERNS = {
    "wall": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}"),
    "instant": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
}

TYPES: dict[str, dict[str, str]] = {
    "event": {
        "id": "string",
        "categories": "string[]",
        "changeKey": "string?",
        "createdDateTime": "instant?",
        "lastModifiedDateTime": "instant?",
        "allowNewTimeProposals": "boolean?",
        "attendees": "attendee[]",
        "body": "itemBody?",
        "bodyPreview": "string?",
        "cancelledOccurrences": "string[]",
        "end": "dateTimeTimeZone?",
        "exceptionOccurrences": "event[]",
        "hasAttachments": "boolean?",
        "hideAttendees": "boolean?",
        "iCalUId": "string?",
        "importance": "importance?",
        "isAllDay": "boolean?",
        "isCancelled": "boolean?",
        "isDraft": "boolean?",
        "isOnlineMeeting": "boolean?",
        "isOrganizer": "boolean?",
        "isReminderOn": "boolean?",
        "location": "location?",
        "locations": "location[]",
        "onlineMeeting": "object?",
        "onlineMeetingProvider": "onlineMeetingProviderType?",
        "onlineMeetingUrl": "string?",
        "organizer": "recipient?",
        "originalEndTimeZone": "string?",
        "originalStart": "instant?",
        "originalStartTimeZone": "string?",
        "recurrence": "patternedRecurrence?",
        "reminderMinutesBeforeStart": "int?",
        "responseRequested": "boolean?",
        "responseStatus": "responseStatus?",
        "sensitivity": "sensitivity?",
        "seriesMasterId": "string?",
        "showAs": "freeBusyStatus?",
        "singleValueExtendedProperties": "singleValueLegacyExtendedProperty[]",
        "start": "dateTimeTimeZone?",
        "subject": "string?",
        "transactionId": "string?",
        "type": "eventType?",
        "webLink": "string?",
    },
    "dateTimeTimeZone": {"dateTime": "wall", "timeZone": "string?"},
    "itemBody": {"content": "string?", "contentType": "bodyType?"},
    "location": {
        "address": "object?",
        "coordinates": "object?",
        "displayName": "string?",
        "locationEmailAddress": "string?",
        "locationType": "locationType?",
        "locationUri": "string?",
        "uniqueId": "string?",
        "uniqueIdType": "locationUniqueIdType?",
    },
    "recipient": {"emailAddress": "emailAddress?"},
    "attendee": {"emailAddress": "emailAddress?", "type": "attendeeType?", "status": "responseStatus?"},
    "emailAddress": {"address": "string?", "name": "string?"},
    "responseStatus": {"response": "responseType?", "time": "instant?"},
    "patternedRecurrence": {"pattern": "recurrencePattern?", "range": "recurrenceRange?"},
    "recurrencePattern": {
        "dayOfMonth": "int",
        "daysOfWeek": "dayOfWeek[]",
        "firstDayOfWeek": "dayOfWeek?",
        "index": "weekIndex?",
        "interval": "int",
        "month": "int",
        "type": "recurrencePatternType?",
    },
    "recurrenceRange": {
        "endDate": "date?",
        "numberOfOccurrences": "int",
        "recurrenceTimeZone": "string?",
        "startDate": "date?",
        "type": "recurrenceRangeType?",
    },
    "singleValueLegacyExtendedProperty": {"id": "string", "value": "string?"},
    "calendar": {
        "id": "string",
        "allowedOnlineMeetingProviders": "onlineMeetingProviderType[]",
        "canEdit": "boolean?",
        "canShare": "boolean?",
        "canViewPrivateItems": "boolean?",
        "changeKey": "string?",
        "color": "calendarColor?",
        "defaultOnlineMeetingProvider": "onlineMeetingProviderType?",
        "hexColor": "string?",
        "isDefaultCalendar": "boolean?",
        "isRemovable": "boolean?",
        "isTallyingResponses": "boolean?",
        "name": "string?",
        "owner": "emailAddress?",
    },
    "subscription": {
        "id": "string",
        "applicationId": "string?",
        "changeType": "string",
        "clientState": "string?",
        "creatorId": "string?",
        "encryptionCertificate": "string?",
        "encryptionCertificateId": "string?",
        "expirationDateTime": "instant",
        "includeResourceData": "boolean?",
        "latestSupportedTlsVersion": "string?",
        "lifecycleNotificationUrl": "string?",
        "notificationQueryOptions": "string?",
        "notificationUrl": "string",
        "notificationUrlAppId": "string?",
        "resource": "string",
    },
    "changeNotification": {
        "changeType": "changeType",
        "clientState": "string?",
        "id": "string?",
        "lifecycleEvent": "lifecycleEventType?",
        "resource": "string",
        "resourceData": "object?",
        "subscriptionExpirationDateTime": "instant",
        "subscriptionId": "string",
        "tenantId": "string",
    },
    "timeZoneInformation": {"alias": "string?", "displayName": "string?"},
    "user": {"id": "string", "displayName": "string?", "mail": "string?", "userPrincipalName": "string?"},
    "removed": {"id": "string", "@removed": "object"},
}

_PLAIN: dict[str, type] = {"string": str, "boolean": bool, "int": int, "object": dict}


def faults(value: Any, kind: str, place: str = "") -> list[str]:
    """What is wrong with a value of the type; nothing is good. OData's own annotations are passed over."""
    return list(_faults(value, kind, place or kind))


def _faults(value: Any, kind: str, place: str) -> Iterator[str]:
    bare = kind.removesuffix("[]").removesuffix("?")
    if kind.endswith("[]"):
        if not isinstance(value, list):
            yield f"{place} is no list"
            return
        for number, item in enumerate(value):
            yield from _faults(item, bare, f"{place}[{number}]")
    elif value is None:
        if not kind.endswith("?"):
            yield f"{place} must not be null"
    elif bare in TYPES:
        if not isinstance(value, dict):
            yield f"{place} is no object"
            return
        for name, inner in value.items():
            if name in TYPES[bare]:
                yield from _faults(inner, TYPES[bare][name], f"{place}.{name}")
            elif not name.startswith("@odata."):
                yield f"{place}.{name} is unknown"
    elif bare in ENUMS:
        if value not in ENUMS[bare]:
            yield f"{place} is none of {ENUMS[bare]}: {value!r}"
    elif bare in PATTERNS:
        if not isinstance(value, str) or not PATTERNS[bare].fullmatch(value):
            yield f"{place} is no {bare}: {value!r}"
    elif not isinstance(value, _PLAIN[bare]) or (bare == "int" and isinstance(value, bool)):
        yield f"{place} is no {bare}: {value!r}"
