/** @odoo-module **/

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

function look(trigger) {
    return {trigger, run: () => {}};
}

function click(trigger) {
    return {trigger, run: "click"};
}

function state(label) {
    return look(`.o_statusbar_status:has(.o_arrow_button_current:contains('${label}'))`);
}

/* Presses a button of the form that asks before it acts, and says yes. */
function confirmed(button, question) {
    return [click(button), click(`.modal-content:has(.modal-body:contains('${question}')) .modal-footer .btn-primary`)];
}

function menu(xmlid) {
    return [
        click(".o_navbar_apps_menu button"),
        click("[data-menu-xmlid='g2p_programs.g2p_program_menu_root']"),
        click("[data-menu-xmlid='g2p_programs.g2p_accounting_root']"),
        click(`[data-menu-xmlid='${xmlid}']`),
    ];
}

const openBatches = menu("g2p_programs.menu_payment_batch");
const openExceptions = menu("g2p_payment_reconcile.payment_exception_menu");
const openTheException = [
    ...openExceptions,
    click(".o_data_row:contains('Browser Payee') td[name='batch_id']"),
];

/* A finance user sees which payments failed, and has no button to pay them again. */
tours.add("g2p_payment_reconcile_failed", {
    test: true,
    steps: () => [
        ...openBatches,
        click(".o_data_row:contains('Browser Cycle') td[name='name']"),
        state("Sent"),
        look("button[name='action_check_now']"),
        look(".o_form_view:not(:has(button[name='action_reissue_failed']))"),
        click(".o_notebook .nav-link:contains('Payments')"),
        look(".o_field_widget[name='payment_ids'] .o_data_row:contains('Failed')"),
    ],
});

/* A program manager looks at the preview and issues the failed payment again; the new batch is there. */
tours.add("g2p_payment_reconcile_reissue", {
    test: true,
    steps: () => [
        ...openBatches,
        click(".o_data_row:contains('Browser Cycle') td[name='name']"),
        click("button[name='action_reissue_failed']"),
        look(".modal-content .o_data_row:contains('Technical')"),
        look(".modal-content .o_data_row:contains('in doubt')"),
        look(".modal-content .o_field_widget[name='chosen_count']:contains('1')"),
        click(".modal-content button[name='action_reissue']"),
        look(".o_notification:contains('Payments prepared: 1, in batches: 1.')"),
        look("body:not(:has(.modal))"),
        ...openBatches,
        click(".o_data_row:contains('Browser Cycle'):contains('To Approve') td[name='name']"),
        state("To Approve"),
    ],
});

/* A finance user decides what is in doubt; nothing changes yet. */
tours.add("g2p_payment_reconcile_decide", {
    test: true,
    steps: () => [
        ...openTheException,
        state("To Decide"),
        click(".o_form_statusbar button:contains('Decide')"),
        click(".modal-content .o_field_widget[name='decision'] input[data-value='declare_failed']"),
        {
            trigger: ".modal-content .o_field_widget[name='reason'] input",
            run: (helpers) => (helpers.edit || helpers.text).call(helpers, "The operator says that it was never paid"),
        },
        ...confirmed(".modal-content button[name='action_decide']", "Does the evidence say so"),
        state("To Confirm"),
        look(".o_form_view:not(:has(button[name='action_confirm']))"),
    ],
});

/* Another one agrees. */
tours.add("g2p_payment_reconcile_confirm", {
    test: true,
    steps: () => [
        ...openTheException,
        state("To Confirm"),
        ...confirmed(".o_form_statusbar button[name='action_confirm']", "takes effect at once"),
        state("Closed"),
    ],
});
