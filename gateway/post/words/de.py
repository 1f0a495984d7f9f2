"""Letters in German."""

from __future__ import annotations

from gateway.errors import Reason
from gateway.post.words.form import Calendar, Labels, Occasion, Words

GERMAN = Words(
    language="de",
    calendar=Calendar(
        weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
        months=("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"),
        date="{weekday}, {day}. {month} {year}",
        short="{weekday}, {day}. {month}",
        within="{start}–{end} Uhr",
        across="{start_date}, {start} Uhr – {end_date}, {end} Uhr",
        moment="{date}, {time} Uhr",
    ),
    labels=Labels(
        pair="{label}: {value}",
        service="Leistung",
        staff="Bei",
        customer="Mit",
        when="Wann",
        dates="Termine",
        new="Neue Zeit",
        old="Bisherige Zeit",
        moved="Verschoben",
        cancelled="Abgesagt",
        added="Findet doch statt",
        zone="Zeitzone",
        there="Ortszeit bei {company}",
    ),
    greeting="Guten Tag {name},",
    greeting_nobody="Guten Tag,",
    closing="Freundliche Grüße",
    more="und {count} weitere",
    open_end="und so weiter",
    booked=Occasion(
        subject="Ihr Termin: {moment}",
        title="Ihr Termin ist gebucht",
        lead="vielen Dank für Ihre Buchung. Wir freuen uns auf Sie.",
    ),
    series_booked=Occasion(
        subject="Ihre Termine ab {date}",
        title="Ihre Termine sind gebucht",
        lead="vielen Dank für Ihre Buchung. Wir freuen uns auf Sie.",
    ),
    moved=Occasion(
        subject="Neue Zeit für Ihren Termin: {moment}",
        title="Ihr Termin hat eine neue Zeit",
        lead="Ihr Termin wurde verschoben. Bitte beachten Sie die neue Zeit.",
    ),
    series_moved=Occasion(
        subject="Neue Zeiten für Ihre Termine",
        title="Ihre Termine haben neue Zeiten",
        lead="Ihre Terminserie hat sich geändert. Bitte beachten Sie die kommenden Termine.",
    ),
    cancelled=Occasion(
        subject="Abgesagt: Ihr Termin am {moment}",
        title="Ihr Termin ist abgesagt",
        lead="dieser Termin findet nicht statt.",
    ),
    series_cancelled=Occasion(
        subject="Abgesagt: Ihre Termine ab {date}",
        title="Ihre Termine sind abgesagt",
        lead="die noch ausstehenden Termine dieser Serie finden nicht statt.",
    ),
    one_moved=Occasion(
        subject="Neue Zeit für Ihren Termin: {moment}",
        title="Einer Ihrer Termine hat eine neue Zeit",
        lead="ein Termin Ihrer Serie wurde verschoben. Alle anderen bleiben, wie sie sind.",
    ),
    one_cancelled=Occasion(
        subject="Abgesagt: Ihr Termin am {moment}",
        title="Einer Ihrer Termine ist abgesagt",
        lead="ein Termin Ihrer Serie findet nicht statt. Alle anderen bleiben, wie sie sind.",
    ),
    one_added=Occasion(
        subject="Findet doch statt: Ihr Termin am {moment}",
        title="Einer Ihrer Termine findet doch statt",
        lead="ein Termin Ihrer Serie findet doch statt. Alle anderen bleiben, wie sie sind.",
    ),
    several_changed=Occasion(
        subject="Änderungen an Ihren Terminen",
        title="Einige Ihrer Termine haben sich geändert",
        lead="einige Termine Ihrer Serie haben sich geändert. Alle anderen bleiben, wie sie sind.",
    ),
    attached_new="Öffnen Sie die angehängte Datei, um dies in Ihren Kalender zu übernehmen.",
    attached_changed="Öffnen Sie die angehängte Datei, um Ihren Kalender zu aktualisieren.",
    add_to="Eintragen in",
    added_by_hand="Falls Sie die bisherige Zeit selbst in Ihren Kalender eingetragen haben, löschen Sie sie dort bitte.",
    cannot_come="Wenn Sie verhindert sind, sagen Sie uns bitte rechtzeitig Bescheid.",
    new_time_unsuitable="Wenn Ihnen die neue Zeit nicht passt, melden Sie sich bitte bei uns.",
    book_again="Wenn Sie einen neuen Termin möchten, melden Sie sich bitte bei uns.",
    new_time_answer="Wenn sie Ihnen nicht passt, können Sie eine andere Zeit wählen oder uns um einen Anruf bitten.",
    answer_button="Annehmen oder andere Zeit wählen",
    change_button="Ändern oder absagen",
    refused=Occasion(
        subject="Nicht geändert: {service}, {moment}",
        title="Ihre Änderung wurde nicht übernommen",
        lead="Sie haben diesen Termin in Ihrem Kalender geändert. Die Änderung konnte nicht übernommen werden.",
    ),
    nothing_changed="Es wurde nichts geändert, und die Kundin oder der Kunde wurde nicht benachrichtigt.",
    asked=Occasion(
        subject="Termin absagen? {service}, {moment}",
        title="Den Termin absagen?",
        lead="Sie haben diesen Termin in Ihrem Kalender gelöscht. Soll er abgesagt werden?",
    ),
    asked_series=Occasion(
        subject="Ganze Terminserie absagen? {service}, ab {date}",
        title="Die ganze Terminserie absagen?",
        lead="Sie haben diese Terminserie in Ihrem Kalender gelöscht. Sollen alle Termine abgesagt werden?",
    ),
    asked_one="Es geht nur um diesen Tag der Serie; die anderen Termine finden statt.",
    asked_move=Occasion(
        subject="Trotzdem verschieben? {service}, {moment}",
        title="Den Termin trotzdem verschieben?",
        lead="Sie haben diesen Termin in Ihrem Kalender verschoben. Er ist noch nicht verschoben.",
    ),
    asked_button="Frage beantworten",
    asked_note="Bis Sie antworten, bleibt der Termin gebucht, und die Kundin oder der Kunde wird nicht benachrichtigt.",
    reasons={
        Reason.TWO_WAY_OFF: (
            "In Ihrem Unternehmen können Termine nicht aus dem Kalender heraus geändert werden.",
            "Bitte nehmen Sie die Änderung auf der Buchungsplattform vor.",
        ),
        Reason.PAST: (
            "Der Termin hat bereits begonnen, oder die neue Zeit liegt in der Vergangenheit.",
            "Bitte wählen Sie eine Zeit in der Zukunft, oder nehmen Sie die Änderung auf der Buchungsplattform vor.",
        ),
        Reason.TAKEN: (
            "Die neue Zeit ist bereits belegt.",
            "Bitte wählen Sie eine freie Zeit; denken Sie auch an die Zeit, die vor und nach dem Termin gebraucht wird.",
        ),
        Reason.OUTSIDE_HOURS: (
            "Die neue Zeit liegt außerhalb Ihrer Arbeitszeiten.",
            "Bitte wählen Sie eine Zeit innerhalb Ihrer Arbeitszeiten, oder lassen Sie diese auf der Buchungsplattform ändern.",
        ),
        Reason.NOT_YOURS: (
            "Aus dem Kalender heraus lässt sich nur die Zeit eines Termins ändern.",
            "Alles andere ändern Sie bitte auf der Buchungsplattform.",
        ),
        Reason.READ_ONLY: (
            "Dieser Kalender kann nur gelesen werden.",
            "Bitte nehmen Sie die Änderung in Ihrem eigenen Terminkalender oder auf der Buchungsplattform vor.",
        ),
        Reason.RECURRENCE: (
            "Die Terminserie lässt sich so nicht ändern.",
            "Bitte verschieben Sie die Termine einzeln, oder ändern Sie die Serie auf der Buchungsplattform.",
        ),
        Reason.DURATION: (
            "Die Dauer eines Termins ist durch die Leistung festgelegt.",
            "Bitte verschieben Sie den Termin, ohne seine Dauer zu ändern, oder wählen Sie auf der Buchungsplattform eine andere Leistung.",
        ),
        Reason.ALL_DAY: (
            "Ein Termin braucht eine Uhrzeit und kann deshalb nicht ganztägig sein.",
            "Bitte verschieben Sie ihn auf eine Uhrzeit.",
        ),
        Reason.STALE: (
            "Der Termin war inzwischen geändert worden, und Ihr Kalender wusste noch nichts davon.",
            "Bitte lassen Sie Ihren Kalender aktualisieren, prüfen Sie die aktuelle Zeit und wiederholen Sie die Änderung bei Bedarf.",
        ),
        Reason.CANCELLED: (
            "Der Termin ist bereits abgesagt.",
            "Wenn er doch stattfinden soll, buchen Sie ihn bitte auf der Buchungsplattform neu.",
        ),
        Reason.CANCEL_ASKED: (
            "Wer einen Termin im Kalender löscht, sagt ihn damit noch nicht ab.",
            "Bitte entscheiden Sie, ob er abgesagt werden soll.",
        ),
        Reason.CANCEL_RESTORED: (
            "Wer einen Termin im Kalender löscht, sagt ihn damit nicht ab. Er steht deshalb wieder in Ihrem Kalender.",
            "Wenn er abgesagt werden soll, tun Sie dies bitte auf der Buchungsplattform.",
        ),
        Reason.IDENTITY: (
            "Ihr Kalenderprogramm hat etwas gesendet, das nicht zu diesem Termin gehört.",
            "Bitte nehmen Sie die Änderung auf der Buchungsplattform vor. Wenn dies wieder vorkommt, sagen Sie es Ihrer Administration.",
        ),
    },
)
