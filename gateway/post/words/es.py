"""Letters in Spanish."""

from __future__ import annotations

from gateway.errors import Reason
from gateway.post.words.form import Calendar, Labels, Occasion, Words

SPANISH = Words(
    language="es",
    calendar=Calendar(
        weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
        months=(
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ),
        date="{weekday}, {day} de {month} de {year}",
        short="{weekday}, {day} de {month}",
        within="de {start} a {end} h",
        across="{start_date}, {start} h – {end_date}, {end} h",
        moment="{date}, {time} h",
    ),
    labels=Labels(
        pair="{label}: {value}",
        service="Servicio",
        staff="Con",
        customer="Cliente",
        when="Cuándo",
        dates="Fechas",
        new="Nuevo horario",
        old="Horario anterior",
        moved="Cambian de horario",
        cancelled="Se cancelan",
        added="Se mantienen",
        zone="Zona horaria",
        there="Hora local en {company}",
    ),
    greeting="Hola, {name}:",
    greeting_nobody="Hola:",
    closing="Un cordial saludo,",
    more="y {count} más",
    open_end="y así sucesivamente",
    booked=Occasion(
        subject="Su cita: {moment}",
        title="Su cita está reservada",
        lead="Gracias por su reserva. Será un placer recibirle.",
    ),
    series_booked=Occasion(
        subject="Sus citas a partir del {date}",
        title="Sus citas están reservadas",
        lead="Gracias por su reserva. Será un placer recibirle.",
    ),
    moved=Occasion(
        subject="Nuevo horario para su cita: {moment}",
        title="Su cita tiene un nuevo horario",
        lead="Su cita ha cambiado de horario. Por favor, tome nota del nuevo.",
    ),
    series_moved=Occasion(
        subject="Nuevos horarios para sus citas",
        title="Sus citas tienen nuevos horarios",
        lead="Su serie de citas ha cambiado. Por favor, tome nota de las próximas fechas.",
    ),
    cancelled=Occasion(
        subject="Cancelada: su cita del {moment}",
        title="Su cita está cancelada",
        lead="Esta cita no tendrá lugar.",
    ),
    series_cancelled=Occasion(
        subject="Canceladas: sus citas a partir del {date}",
        title="Sus citas están canceladas",
        lead="Las citas restantes de esta serie no tendrán lugar.",
    ),
    one_moved=Occasion(
        subject="Nuevo horario para su cita: {moment}",
        title="Una de sus citas tiene un nuevo horario",
        lead="Una cita de su serie ha cambiado de horario. Las demás no cambian.",
    ),
    one_cancelled=Occasion(
        subject="Cancelada: su cita del {moment}",
        title="Una de sus citas está cancelada",
        lead="Una cita de su serie no tendrá lugar. Las demás no cambian.",
    ),
    one_added=Occasion(
        subject="Se mantiene: su cita del {moment}",
        title="Una de sus citas finalmente tendrá lugar",
        lead="Una cita de su serie finalmente tendrá lugar. Las demás no cambian.",
    ),
    several_changed=Occasion(
        subject="Cambios en sus citas",
        title="Algunas de sus citas han cambiado",
        lead="Algunas citas de su serie han cambiado. Las demás no cambian.",
    ),
    attached_new="Abra el archivo adjunto para añadirlo a su calendario.",
    attached_changed="Abra el archivo adjunto para actualizar su calendario.",
    add_to="Añadir a",
    added_by_hand="Si había anotado el horario anterior en su calendario, elimínelo de allí, por favor.",
    cannot_come="Si no puede venir, le agradeceremos que nos avise con tiempo.",
    new_time_unsuitable="Si el nuevo horario no le conviene, póngase en contacto con nosotros.",
    book_again="Si desea una nueva cita, póngase en contacto con nosotros.",
    new_time_answer="Si no le conviene, puede elegir otra hora o pedirnos que nos pongamos en contacto con usted.",
    answer_button="Aceptar o elegir otra hora",
    change_button="Cambiar o cancelar",
    refused=Occasion(
        subject="Sin cambios: {service}, {moment}",
        title="Su cambio no se ha realizado",
        lead="Ha modificado esta cita en su calendario, pero el cambio no se ha podido aceptar.",
    ),
    nothing_changed="No se ha cambiado nada y no se ha avisado al cliente.",
    asked=Occasion(
        subject="¿Cancelar esta cita? {service}, {moment}",
        title="¿Cancelar la cita?",
        lead="Ha eliminado esta cita en su calendario. ¿Desea cancelarla?",
    ),
    asked_series=Occasion(
        subject="¿Cancelar toda la serie? {service}, a partir del {date}",
        title="¿Cancelar toda la serie?",
        lead="Ha eliminado esta serie de citas en su calendario. ¿Desea cancelarlas todas?",
    ),
    asked_one="Solo se trata de esta fecha de la serie; las demás citas se mantienen.",
    asked_move=Occasion(
        subject="¿Mover esta cita de todos modos? {service}, {moment}",
        title="¿Mover la cita de todos modos?",
        lead="Ha movido esta cita en su calendario. Todavía no se ha movido.",
    ),
    asked_button="Responder a la pregunta",
    asked_note="Hasta que responda, la cita sigue reservada y no se avisa al cliente.",
    reasons={
        Reason.TWO_WAY_OFF: (
            "Su empresa no permite modificar citas desde un calendario.",
            "Por favor, haga el cambio en la plataforma de reservas.",
        ),
        Reason.PAST: (
            "La cita ya ha comenzado o el nuevo horario ya ha pasado.",
            "Por favor, elija un horario futuro o haga el cambio en la plataforma de reservas.",
        ),
        Reason.TAKEN: (
            "El nuevo horario ya está ocupado.",
            "Por favor, elija un horario libre, contando el tiempo necesario antes y después de la cita.",
        ),
        Reason.OUTSIDE_HOURS: (
            "El nuevo horario está fuera de su horario de trabajo.",
            "Por favor, elija una hora dentro de su horario de trabajo o pida que se lo cambien en la plataforma de reservas.",
        ),
        Reason.NOT_YOURS: (
            "Desde un calendario solo se puede cambiar el horario de una cita.",
            "Por favor, haga cualquier otro cambio en la plataforma de reservas.",
        ),
        Reason.READ_ONLY: (
            "Este calendario es de solo lectura.",
            "Por favor, haga el cambio en su propio calendario de citas o en la plataforma de reservas.",
        ),
        Reason.RECURRENCE: (
            "La serie no se puede modificar de esta manera.",
            "Por favor, mueva las citas una a una o modifique la serie en la plataforma de reservas.",
        ),
        Reason.DURATION: (
            "La duración de una cita depende del servicio.",
            "Por favor, mueva la cita sin cambiar su duración o elija otro servicio en la plataforma de reservas.",
        ),
        Reason.ALL_DAY: (
            "Una cita necesita una hora, por lo que no puede durar todo el día.",
            "Por favor, muévala a una hora concreta.",
        ),
        Reason.STALE: (
            "La cita se había modificado entretanto y su calendario aún no lo sabía.",
            "Por favor, actualice su calendario, compruebe el horario actual y repita el cambio si todavía es necesario.",
        ),
        Reason.CANCELLED: (
            "La cita ya está cancelada.",
            "Si finalmente debe tener lugar, resérvela de nuevo en la plataforma de reservas, por favor.",
        ),
        Reason.CANCEL_ASKED: (
            "Eliminar una cita en un calendario todavía no la cancela.",
            "Por favor, indique si desea cancelarla.",
        ),
        Reason.CANCEL_RESTORED: (
            "Eliminar una cita en un calendario no la cancela; por eso ha vuelto al suyo.",
            "Si desea cancelarla, hágalo en la plataforma de reservas, por favor.",
        ),
        Reason.IDENTITY: (
            "Su programa de calendario ha enviado algo que no corresponde a esta cita.",
            "Por favor, haga el cambio en la plataforma de reservas. Si vuelve a ocurrir, avise a su administrador.",
        ),
    },
)
