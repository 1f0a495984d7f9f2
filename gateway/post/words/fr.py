"""Letters in French. A no-break space stands before colon and question mark, as French typography wants it."""

from __future__ import annotations

from gateway.errors import Reason
from gateway.post.words.form import Calendar, Labels, Occasion, Words

FRENCH = Words(
    language="fr",
    calendar=Calendar(
        weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        months=("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"),
        date="{weekday} {day} {month} {year}",
        short="{weekday} {day} {month}",
        first="1er",
        within="de {start} à {end}",
        across="du {start_date} à {start} au {end_date} à {end}",
        moment="{date} à {time}",
    ),
    labels=Labels(
        pair="{label}\u00a0: {value}",
        service="Prestation",
        staff="Avec",
        customer="Avec",
        when="Quand",
        dates="Dates",
        new="Nouvel horaire",
        old="Ancien horaire",
        moved="Déplacés",
        cancelled="Annulés",
        added="Maintenus",
        zone="Fuseau horaire",
        there="Heure locale chez {company}",
    ),
    greeting="Bonjour {name},",
    greeting_nobody="Bonjour,",
    closing="Bien cordialement,",
    more="et {count} autres",
    open_end="et ainsi de suite",
    booked=Occasion(
        subject="Votre rendez-vous du {moment}",
        title="Votre rendez-vous est réservé",
        lead="Merci pour votre réservation. Nous nous réjouissons de vous accueillir.",
    ),
    series_booked=Occasion(
        subject="Vos rendez-vous à partir du {date}",
        title="Vos rendez-vous sont réservés",
        lead="Merci pour votre réservation. Nous nous réjouissons de vous accueillir.",
    ),
    moved=Occasion(
        subject="Nouvel horaire pour votre rendez-vous\u00a0: {moment}",
        title="Votre rendez-vous a un nouvel horaire",
        lead="Votre rendez-vous a été déplacé. Merci de bien noter le nouvel horaire.",
    ),
    series_moved=Occasion(
        subject="Nouveaux horaires pour vos rendez-vous",
        title="Vos rendez-vous ont de nouveaux horaires",
        lead="Votre série de rendez-vous a changé. Merci de bien noter les prochaines dates.",
    ),
    cancelled=Occasion(
        subject="Annulé\u00a0: votre rendez-vous du {moment}",
        title="Votre rendez-vous est annulé",
        lead="Ce rendez-vous n’aura pas lieu.",
    ),
    series_cancelled=Occasion(
        subject="Annulés\u00a0: vos rendez-vous à partir du {date}",
        title="Vos rendez-vous sont annulés",
        lead="Les rendez-vous restants de cette série n’auront pas lieu.",
    ),
    one_moved=Occasion(
        subject="Nouvel horaire pour votre rendez-vous\u00a0: {moment}",
        title="L’un de vos rendez-vous a un nouvel horaire",
        lead="Un rendez-vous de votre série a été déplacé. Tous les autres restent inchangés.",
    ),
    one_cancelled=Occasion(
        subject="Annulé\u00a0: votre rendez-vous du {moment}",
        title="L’un de vos rendez-vous est annulé",
        lead="Un rendez-vous de votre série n’aura pas lieu. Tous les autres restent inchangés.",
    ),
    one_added=Occasion(
        subject="Maintenu\u00a0: votre rendez-vous du {moment}",
        title="L’un de vos rendez-vous a finalement lieu",
        lead="Un rendez-vous de votre série a finalement lieu. Tous les autres restent inchangés.",
    ),
    several_changed=Occasion(
        subject="Changements concernant vos rendez-vous",
        title="Certains de vos rendez-vous ont changé",
        lead="Certains rendez-vous de votre série ont changé. Tous les autres restent inchangés.",
    ),
    attached_new="Ouvrez le fichier joint pour l’ajouter à votre agenda.",
    attached_changed="Ouvrez le fichier joint pour mettre à jour votre agenda.",
    add_to="Ajouter à",
    added_by_hand="Si vous aviez noté vous-même l’ancien horaire dans votre agenda, pensez à l’y supprimer.",
    cannot_come="En cas d’empêchement, merci de nous prévenir à temps.",
    new_time_unsuitable="Si le nouvel horaire ne vous convient pas, n’hésitez pas à nous contacter.",
    book_again="Si vous souhaitez un nouveau rendez-vous, n’hésitez pas à nous contacter.",
    new_time_answer="S’il ne vous convient pas, vous pouvez choisir un autre horaire ou nous demander de vous contacter.",
    answer_button="Accepter ou choisir un autre horaire",
    change_button="Modifier ou annuler",
    refused=Occasion(
        subject="Non modifié\u00a0: {service}, {moment}",
        title="Votre modification n’a pas été prise en compte",
        lead="Vous avez modifié ce rendez-vous dans votre agenda, mais la modification n’a pas pu être acceptée.",
    ),
    nothing_changed="Rien n’a été modifié, et la personne concernée n’a pas été prévenue.",
    asked=Occasion(
        subject="Annuler ce rendez-vous\u00a0? {service}, {moment}",
        title="Annuler le rendez-vous\u00a0?",
        lead="Vous avez supprimé ce rendez-vous dans votre agenda. Faut-il l’annuler\u00a0?",
    ),
    asked_series=Occasion(
        subject="Annuler toute la série\u00a0? {service}, à partir du {date}",
        title="Annuler toute la série\u00a0?",
        lead="Vous avez supprimé cette série de rendez-vous dans votre agenda. Faut-il tous les annuler\u00a0?",
    ),
    asked_one="Seule cette date de la série est concernée\u00a0; les autres rendez-vous ont lieu.",
    asked_move=Occasion(
        subject="Déplacer quand même ce rendez-vous\u00a0? {service}, {moment}",
        title="Déplacer quand même le rendez-vous\u00a0?",
        lead="Vous avez déplacé ce rendez-vous dans votre agenda. Il n’est pas encore déplacé.",
    ),
    asked_button="Répondre à la question",
    asked_note="Tant que vous n’avez pas répondu, le rendez-vous reste réservé et la personne concernée n’est pas prévenue.",
    reasons={
        Reason.TWO_WAY_OFF: (
            "Votre entreprise n’autorise pas la modification des rendez-vous depuis un agenda.",
            "Merci d’effectuer la modification sur la plateforme de réservation.",
        ),
        Reason.PAST: (
            "Le rendez-vous a déjà commencé, ou le nouvel horaire est déjà passé.",
            "Merci de choisir un horaire à venir, ou d’effectuer la modification sur la plateforme de réservation.",
        ),
        Reason.TAKEN: (
            "Le nouvel horaire est déjà pris.",
            "Merci de choisir un horaire libre, en comptant le temps nécessaire avant et après le rendez-vous.",
        ),
        Reason.OUTSIDE_HOURS: (
            "Le nouvel horaire est en dehors de vos heures de travail.",
            "Merci de choisir un horaire pendant vos heures de travail, ou de les faire modifier sur la plateforme de réservation.",
        ),
        Reason.NOT_YOURS: (
            "Depuis un agenda, seul l’horaire d’un rendez-vous peut être modifié.",
            "Merci d’effectuer toute autre modification sur la plateforme de réservation.",
        ),
        Reason.READ_ONLY: (
            "Cet agenda est en lecture seule.",
            "Merci d’effectuer la modification dans votre propre agenda de rendez-vous ou sur la plateforme de réservation.",
        ),
        Reason.RECURRENCE: (
            "La série ne peut pas être modifiée de cette façon.",
            "Merci de déplacer ses rendez-vous un par un, ou de modifier la série sur la plateforme de réservation.",
        ),
        Reason.DURATION: (
            "La durée d’un rendez-vous est fixée par la prestation.",
            "Merci de déplacer le rendez-vous sans changer sa durée, ou de choisir une autre prestation sur la plateforme de réservation.",
        ),
        Reason.ALL_DAY: (
            "Un rendez-vous a toujours une heure, il ne peut donc pas durer toute la journée.",
            "Merci de le déplacer à une heure précise.",
        ),
        Reason.STALE: (
            "Le rendez-vous avait été modifié entre-temps, et votre agenda ne le savait pas encore.",
            "Merci d’actualiser votre agenda, de vérifier l’horaire actuel et de refaire la modification si besoin.",
        ),
        Reason.CANCELLED: (
            "Le rendez-vous est déjà annulé.",
            "S’il doit tout de même avoir lieu, merci de le réserver à nouveau sur la plateforme de réservation.",
        ),
        Reason.CANCEL_ASKED: (
            "Supprimer un rendez-vous dans un agenda ne suffit pas à l’annuler.",
            "Merci d’indiquer s’il doit être annulé.",
        ),
        Reason.CANCEL_RESTORED: (
            "Supprimer un rendez-vous dans un agenda ne l’annule pas\u00a0; il est donc de retour dans le vôtre.",
            "S’il doit être annulé, merci de le faire sur la plateforme de réservation.",
        ),
        Reason.IDENTITY: (
            "Votre logiciel d’agenda a envoyé quelque chose qui ne correspond pas à ce rendez-vous.",
            "Merci d’effectuer la modification sur la plateforme de réservation et, si cela se reproduit, "
            "de prévenir la personne qui l’administre.",
        ),
    },
)
