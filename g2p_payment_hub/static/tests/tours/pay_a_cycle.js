/** @odoo-module **/

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

function look(trigger) {
    return {trigger, run: () => {}};
}

function state(label) {
    return look(`.o_statusbar_status:has(.o_arrow_button_current:contains('${label}'))`);
}

const confirm = {trigger: ".modal-footer .btn-primary", run: "click"};

function press(name) {
    return {trigger: `.o_form_statusbar button[name='${name}']:not([disabled])`, run: "click"};
}

/* A program manager opens a cycle and prepares its payments. */
tours.add("g2p_payment_hub_prepare", {
    test: true,
    steps: () => [
        look(".o_form_view"),
        press("prepare_payment"),
        look(".o_notification:contains('Payments prepared: 2, in batches: 1.')"),
        press("prepare_payment"),
        look(".o_notification:contains('every approved entitlement has its payment already')"),
    ],
});

/* A finance user finds the batch in the menu, approves it and sends it. */
const openBatches = [
    {trigger: ".o_navbar_apps_menu button", run: "click"},
    {trigger: "[data-menu-xmlid='g2p_programs.g2p_program_menu_root']", run: "click"},
    {trigger: "[data-menu-xmlid='g2p_programs.g2p_accounting_root']", run: "click"},
    {trigger: "[data-menu-xmlid='g2p_programs.menu_payment_batch']", run: "click"},
];

tours.add("g2p_payment_hub_approve_and_send", {
    test: true,
    steps: () => [
        ...openBatches,
        {trigger: ".o_data_row:contains('Browser Cycle') td[name='name']", run: "click"},
        state("To Approve"),
        press("action_approve"),
        confirm,
        state("Approved"),
        press("send_payment"),
        confirm,
        look(".o_notification:contains('Batches being sent: 1.')"),
        state("Sending"),
        look(".alert:contains('The result appears here by itself')"),
    ],
});

/* Later, when the payment system has accepted it. */
tours.add("g2p_payment_hub_sent", {
    test: true,
    steps: () => [
        ...openBatches,
        {trigger: ".o_data_row:contains('Browser Cycle') td[name='name']", run: "click"},
        state("Sent"),
        look(".o_form_view [name='external_batch_ref']:contains('remote-1')"),
    ],
});
