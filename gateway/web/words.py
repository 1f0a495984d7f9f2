"""What the answer page says, in the staff member's language; a language that lacks a sentence does not pass the type checker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """Everything the answer page can say in one language."""

    asked: str
    asked_lead: str
    one_of_series: str
    cancel: str
    keep: str
    cancelled: str
    cancelled_lead: str
    kept: str
    kept_lead: str
    over: str
    over_lead: str
    refused: str


ENGLISH = Words(
    asked="Cancel this appointment?",
    asked_lead="You deleted it in your calendar. It is still booked, and the customer has not been told anything.",
    one_of_series="Only this date of the series is meant; the others take place.",
    cancel="Cancel the appointment and tell the customer",
    keep="Keep it",
    cancelled="The appointment is cancelled",
    cancelled_lead="The customer is told by e-mail. It disappears from your calendar the next time the calendar looks.",
    kept="The appointment stays",
    kept_lead="Nothing has changed, and your calendar shows it again.",
    over="This question is settled",
    over_lead="It has been answered already, or the appointment has changed since. Your calendar shows how things stand.",
    refused="The appointment could not be cancelled",
)
FRENCH = Words(
    asked="Annuler ce rendez-vous ?",
    asked_lead="Vous l’avez supprimé dans votre agenda. Il est toujours réservé et le client n’a pas encore été prévenu.",
    one_of_series="Seule cette date de la série est concernée ; les autres ont lieu.",
    cancel="Annuler le rendez-vous et prévenir le client",
    keep="Le garder",
    cancelled="Le rendez-vous est annulé",
    cancelled_lead="Le client est prévenu par e-mail. Le rendez-vous disparaîtra de votre agenda à la prochaine synchronisation.",
    kept="Le rendez-vous est maintenu",
    kept_lead="Rien n’a changé et votre agenda l’affiche de nouveau.",
    over="Cette question est réglée",
    over_lead="Elle a déjà reçu une réponse, ou le rendez-vous a changé depuis. Votre agenda montre la situation actuelle.",
    refused="Le rendez-vous n’a pas pu être annulé",
)
GERMAN = Words(
    asked="Diesen Termin absagen?",
    asked_lead="Sie haben ihn in Ihrem Kalender gelöscht. Er ist weiterhin gebucht, und die Kundschaft weiß noch von nichts.",
    one_of_series="Es geht nur um diesen Tag der Serie; die anderen finden statt.",
    cancel="Termin absagen und Bescheid geben",
    keep="Termin behalten",
    cancelled="Der Termin ist abgesagt",
    cancelled_lead="Die Absage geht per E-Mail hinaus. Aus Ihrem Kalender verschwindet der Termin beim nächsten Abgleich.",
    kept="Der Termin bleibt bestehen",
    kept_lead="Es hat sich nichts geändert, und Ihr Kalender zeigt ihn wieder an.",
    over="Diese Frage ist erledigt",
    over_lead="Sie wurde schon beantwortet, oder der Termin hat sich inzwischen geändert. Ihr Kalender zeigt den aktuellen Stand.",
    refused="Der Termin konnte nicht abgesagt werden",
)
SPANISH = Words(
    asked="¿Cancelar esta cita?",
    asked_lead="La ha borrado en su calendario. Sigue reservada y al cliente no se le ha dicho nada.",
    one_of_series="Solo se trata de esta fecha de la serie; las demás se mantienen.",
    cancel="Cancelar la cita y avisar al cliente",
    keep="Mantenerla",
    cancelled="La cita está cancelada",
    cancelled_lead="Se avisa al cliente por correo electrónico. La cita desaparecerá de su calendario en la próxima sincronización.",
    kept="La cita se mantiene",
    kept_lead="No ha cambiado nada y su calendario la muestra de nuevo.",
    over="Esta pregunta ya está resuelta",
    over_lead="Ya se ha respondido, o la cita ha cambiado entretanto. Su calendario muestra la situación actual.",
    refused="No se ha podido cancelar la cita",
)

LANGUAGES = {"en": ENGLISH, "fr": FRENCH, "de": GERMAN, "es": SPANISH}
