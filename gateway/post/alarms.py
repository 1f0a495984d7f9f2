"""What is said about a calendar elsewhere that has stopped: why, what that means, what can be done. One text per kind and language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What has happened."""

    ACCESS = "access"  # the provider no longer takes the access
    CONSENT = "consent"  # an administrator over there has to agree
    GUARD = "guard"  # a brake holds something back
    GONE = "gone"  # the calendar does not exist any more
    STALE = "stale"  # the provider has not answered for a day
    SOURCE = "source"  # an external iCalendar address cannot be read
    BUSY = "busy"  # a calendar whose busy times block cannot be read


@dataclass(frozen=True, slots=True)
class Told:
    """`why` it stopped, what that `means` meanwhile, and what can be done `now`. `why` knows provider."""

    why: str
    means: str
    now: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarms:
    """All of one language. Subjects and leads know calendar, company and staff; labels stand in front of facts."""

    subject: str
    lead: str
    admin_subject: str
    admin_lead: str
    external: str
    calendar: str
    since: str
    why: str
    means: str
    button: str
    admin_button: str
    told: Mapping[Kind, Told]


_OUT_EN = (
    "Until then new appointments do not appear there, and what is moved there changes nothing. Nothing is lost, and nothing is doubled."
)
ENGLISH = Alarms(
    subject="Your calendar is not in sync: {calendar}",
    lead="Your calendar has stopped showing your appointments with {company}. It needs a moment of you.",
    admin_subject="A calendar of {staff} has not been in sync for a day",
    admin_lead="{staff} was told when it began; it may help to ask.",
    external="External calendar",
    calendar="Calendar",
    since="Since",
    why="What has happened",
    means="What that means",
    button="Go to my calendar",
    admin_button="Go to the staff member",
    told={
        Kind.ACCESS: Told("{provider} no longer accepts the access it was given.", _OUT_EN, "Connect the account again: one button."),
        Kind.CONSENT: Told(
            "The organisation at {provider} wants its administrator to agree.",
            _OUT_EN,
            "Ask the administrator there to allow this app, then connect the account again.",
        ),
        Kind.GUARD: Told(
            "Many appointments were deleted or moved over there at once. Nothing of it was taken over.",
            "It is held back until somebody says whether it was meant; no customer has been told anything.",
            "Say whether it was meant: one button carries it out, another one puts everything back.",
        ),
        Kind.GONE: Told(
            "The calendar does not exist any more at {provider}, or may not be written.",
            _OUT_EN,
            "Connect the account again: a new calendar is made and filled.",
        ),
        Kind.STALE: Told(
            "{provider} has not given a complete answer for a day.",
            _OUT_EN,
            "It is tried again by itself. If it goes on, tell whoever runs this.",
        ),
        Kind.SOURCE: Told(
            "The address of the external calendar cannot be read.",
            "The busy times that were read last still count; new ones are not seen.",
            "Test the address on your page, and put in a new one if it has changed.",
        ),
        Kind.BUSY: Told(
            "{provider} no longer tells when this calendar is busy.",
            "The busy times that were read last still count; new ones are not seen.",
            "Look under “Choose calendars” on your page: the reason stands beside the calendar.",
        ),
    },
)

_OUT_FR = (
    "D’ici là, les nouveaux rendez-vous n’y apparaissent pas et ce qui y est déplacé ne change rien. "
    "Rien n’est perdu, rien n’est en double."
)
FRENCH = Alarms(
    subject="Votre agenda n’est plus synchronisé\u00a0: {calendar}",
    lead="Votre agenda ne montre plus vos rendez-vous chez {company}. Un petit geste de votre part suffit.",
    admin_subject="Un agenda de {staff} n’est plus synchronisé depuis un jour",
    admin_lead="{staff} en a été informé(e) dès le début\u00a0; il peut être utile de lui en parler.",
    external="Agenda externe",
    calendar="Agenda",
    since="Depuis",
    why="Ce qui s’est passé",
    means="Ce que cela signifie",
    button="Aller à mon agenda",
    admin_button="Aller à la fiche",
    told={
        Kind.ACCESS: Told("{provider} n’accepte plus l’accès accordé.", _OUT_FR, "Reconnectez le compte\u00a0: un seul bouton."),
        Kind.CONSENT: Told(
            "L’organisation chez {provider} exige l’accord de son administrateur.",
            _OUT_FR,
            "Demandez à cet administrateur d’autoriser l’application, puis reconnectez le compte.",
        ),
        Kind.GUARD: Told(
            "De nombreux rendez-vous y ont été supprimés ou déplacés d’un coup. Rien n’a été repris.",
            "Tout est retenu jusqu’à ce que quelqu’un dise si c’était voulu\u00a0; aucun client n’a été informé.",
            "Dites si c’était voulu\u00a0: un bouton l’applique, un autre remet tout en place.",
        ),
        Kind.GONE: Told(
            "L’agenda n’existe plus chez {provider}, ou ne peut plus être modifié.",
            _OUT_FR,
            "Reconnectez le compte\u00a0: un nouvel agenda est créé et rempli.",
        ),
        Kind.STALE: Told(
            "{provider} n’a pas donné de réponse complète depuis un jour.",
            _OUT_FR,
            "Un nouvel essai a lieu de lui-même. Si cela dure, prévenez la personne qui gère ce service.",
        ),
        Kind.SOURCE: Told(
            "L’adresse de l’agenda externe ne peut pas être lue.",
            "Les dernières heures occupées connues comptent toujours\u00a0; les nouvelles ne sont pas vues.",
            "Testez l’adresse sur votre page et remplacez-la si elle a changé.",
        ),
        Kind.BUSY: Told(
            "{provider} ne dit plus quand cet agenda est occupé.",
            "Les dernières heures occupées connues comptent toujours\u00a0; les nouvelles ne sont pas vues.",
            "Regardez sous «\u00a0Choisir les agendas\u00a0» sur votre page\u00a0: la raison figure à côté de l’agenda.",
        ),
    },
)

_OUT_DE = (
    "Bis dahin erscheinen neue Termine dort nicht, und was dort verschoben wird, ändert nichts. Nichts geht verloren, nichts wird doppelt."
)
GERMAN = Alarms(
    subject="Ihr Kalender wird nicht mehr abgeglichen: {calendar}",
    lead="Ihr Kalender zeigt Ihre Termine bei {company} nicht mehr. Dafür brauchen wir Sie einen Moment.",
    admin_subject="Ein Kalender von {staff} wird seit einem Tag nicht abgeglichen",
    admin_lead="{staff} weiß seit Beginn davon; vielleicht hilft eine Nachfrage.",
    external="Externer Kalender",
    calendar="Kalender",
    since="Seit",
    why="Was geschehen ist",
    means="Was das bedeutet",
    button="Zu meinem Kalender",
    admin_button="Zur Person",
    told={
        Kind.ACCESS: Told(
            "{provider} nimmt den erteilten Zugriff nicht mehr an.", _OUT_DE, "Verbinden Sie das Konto neu: ein Knopf genügt."
        ),
        Kind.CONSENT: Told(
            "Die Organisation bei {provider} verlangt die Zustimmung ihres Administrators.",
            _OUT_DE,
            "Bitten Sie den Administrator dort, diese App zu erlauben, und verbinden Sie das Konto dann neu.",
        ),
        Kind.GUARD: Told(
            "Viele Termine wurden dort auf einmal gelöscht oder verschoben. Nichts davon wurde übernommen.",
            "Es wird zurückgehalten, bis jemand sagt, ob es gewollt war; keinem Kunden wurde etwas mitgeteilt.",
            "Sagen Sie, ob es gewollt war: Ein Knopf führt es aus, ein anderer stellt alles wieder her.",
        ),
        Kind.GONE: Told(
            "Den Kalender gibt es bei {provider} nicht mehr, oder er darf nicht beschrieben werden.",
            _OUT_DE,
            "Verbinden Sie das Konto neu: Ein neuer Kalender wird angelegt und gefüllt.",
        ),
        Kind.STALE: Told(
            "{provider} hat seit einem Tag keine vollständige Antwort gegeben.",
            _OUT_DE,
            "Es wird von selbst weiter versucht. Wenn es anhält, sagen Sie es der Person, die diesen Dienst betreibt.",
        ),
        Kind.SOURCE: Told(
            "Die Adresse des externen Kalenders kann nicht gelesen werden.",
            "Die zuletzt gelesenen belegten Zeiten gelten weiter; neue werden nicht gesehen.",
            "Prüfen Sie die Adresse auf Ihrer Seite, und tragen Sie eine neue ein, wenn sie sich geändert hat.",
        ),
        Kind.BUSY: Told(
            "{provider} sagt nicht mehr, wann dieser Kalender belegt ist.",
            "Die zuletzt gelesenen belegten Zeiten gelten weiter; neue werden nicht gesehen.",
            "Sehen Sie auf Ihrer Seite unter „Kalender wählen“ nach: Der Grund steht neben dem Kalender.",
        ),
    },
)

_OUT_ES = "Hasta entonces las citas nuevas no aparecen allí y lo que se mueva allí no cambia nada. Nada se pierde y nada se duplica."
SPANISH = Alarms(
    subject="Su calendario no está sincronizado: {calendar}",
    lead="Su calendario ha dejado de mostrar sus citas con {company}. Necesita un momento de usted.",
    admin_subject="Un calendario de {staff} lleva un día sin sincronizarse",
    admin_lead="{staff} recibió aviso al comienzo; quizá ayude preguntarle.",
    external="Calendario externo",
    calendar="Calendario",
    since="Desde",
    why="Qué ha pasado",
    means="Qué significa",
    button="Ir a mi calendario",
    admin_button="Ir a la persona",
    told={
        Kind.ACCESS: Told("{provider} ya no acepta el acceso concedido.", _OUT_ES, "Vuelva a conectar la cuenta: basta un botón."),
        Kind.CONSENT: Told(
            "La organización en {provider} exige el acuerdo de su administrador.",
            _OUT_ES,
            "Pida al administrador de allí que permita esta aplicación y vuelva a conectar la cuenta.",
        ),
        Kind.GUARD: Told(
            "Allí se borraron o movieron muchas citas de una vez. Nada de ello se ha aceptado.",
            "Queda retenido hasta que alguien diga si era intencionado; no se ha avisado a ningún cliente.",
            "Diga si era intencionado: un botón lo aplica y otro lo restablece todo.",
        ),
        Kind.GONE: Told(
            "El calendario ya no existe en {provider} o no se puede escribir.",
            _OUT_ES,
            "Vuelva a conectar la cuenta: se crea y se llena un calendario nuevo.",
        ),
        Kind.STALE: Told(
            "{provider} no ha dado una respuesta completa desde hace un día.",
            _OUT_ES,
            "Se vuelve a intentar por sí solo. Si continúa, avise a quien administra este servicio.",
        ),
        Kind.SOURCE: Told(
            "No se puede leer la dirección del calendario externo.",
            "Siguen valiendo las últimas horas ocupadas que se leyeron; las nuevas no se ven.",
            "Pruebe la dirección en su página y ponga otra si ha cambiado.",
        ),
        Kind.BUSY: Told(
            "{provider} ya no dice cuándo está ocupado este calendario.",
            "Siguen valiendo las últimas horas ocupadas que se leyeron; las nuevas no se ven.",
            "Mire en su página en «Elegir calendarios»: el motivo figura junto al calendario.",
        ),
    },
)

LANGUAGES: Mapping[str, Alarms] = {"en": ENGLISH, "fr": FRENCH, "de": GERMAN, "es": SPANISH}


def alarms(language: str) -> Alarms:
    """By a BCP 47 tag such as "en-GB"."""
    return LANGUAGES.get(language[:2], ENGLISH)
