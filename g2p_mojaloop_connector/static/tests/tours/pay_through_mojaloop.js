/** @odoo-module **/

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

function look(trigger) {
    return {trigger, run: () => {}};
}

function press(name) {
    return {trigger: `.o_form_view button[name='${name}']:not([disabled])`, run: "click"};
}

/* What people do to fields is called differently in Odoo 17.0 and 19.0, so this is done by hand. */
function change(input, value) {
    input.value = value;
    for (const event of ["input", "change"]) {
        input.dispatchEvent(new Event(event, {bubbles: true}));
    }
}

function type(name, text) {
    return {
        trigger: `.o_field_widget[name='${name}'] input`,
        run() {
            change(this.anchor || this.$anchor[0], text);
        },
    };
}

/* Odoo 17.0 has a select there, 19.0 a menu. */
async function choose(field, label) {
    const select = field.querySelector("select");
    if (select) {
        return change(select, [...select.options].find((option) => option.text === label).value);
    }
    field.querySelector("input").click();
    const item = () =>
        [...document.querySelectorAll(".o_select_menu_item")].find((one) => one.textContent.includes(label));
    while (!item()) {
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    item().click();
}

function tab(label) {
    return {trigger: `.o_notebook .nav-link:contains('${label}')`, run: "click"};
}

function row(text) {
    return `.o_data_row:contains('${text}')`;
}

/* A gateway administrator creates the gateway, and finds the page of its keys and certificates. */
tours.add("g2p_mojaloop_connector_gateway", {
    test: true,
    steps: () => [
        {trigger: ".o_list_button_add", run: "click"},
        type("name", "Browser Switch"),
        {
            trigger: ".o_field_widget[name='provider']",
            run() {
                return choose(this.anchor || this.$anchor[0], "Mojaloop connector");
            },
        },
        tab("Mojaloop"),
        type("mojaloop_url", "https://connector.example:4001"),
        type("mojaloop_dfsp_id", "treasury"),
        tab("Keys and Certificates"),
        {trigger: ".o_form_button_save", run: "click"},
        look(".o_form_saved, .o_form_status_indicator_buttons.invisible"),
        press("action_mojaloop_generate_request"),
        look(".o_field_widget[name='mojaloop_request']:contains('BEGIN CERTIFICATE REQUEST')"),
    ],
});

/* A finance user asks the scheme who the payees of a batch are. */
tours.add("g2p_mojaloop_connector_verify", {
    test: true,
    steps: () => [
        press("action_verify_payees"),
        look(".o_notification:contains('The scheme is being asked for 2 payees')"),
    ],
});

/* When it has answered: one payee goes by another name, and a person decides that it is the same one. */
tours.add("g2p_mojaloop_connector_decide", {
    test: true,
    steps: () => [
        press("action_open_verifications"),
        {trigger: `${row("Somebody Else")} td[name='told_name']`, run: "click"},
        look(".alert:contains('The names differ')"),
        press("action_same_person"),
        look(".o_field_widget[name='decision']:contains('Same Person')"),
    ],
});

/* After it was sent and paid. */
tours.add("g2p_mojaloop_connector_transfers", {
    test: true,
    steps: () => [
        press("action_open_transfers"),
        look(".o_list_view .o_data_row:nth-child(2)"),
        {trigger: `${row("Committed")} td[name='payment_id']`, run: "click"},
        look(".o_field_widget[name='transfer_state']:contains('COMMITTED')"),
    ],
});
