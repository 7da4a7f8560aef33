//! Market rules by example, group by group, and every refusal in its order.
//!
//! Most examples are written in the scenario language of the test kit and run on the engine *and* on its
//! naive twin; what the language cannot say is driven with plain commands. The rules are in
//! `docs/rules.md`, and each test cites the one that it is about.

mod rules {
    mod agenda;
    mod amend;
    mod book;
    mod close;
    mod deleverage;
    mod desk;
    mod funding;
    mod halt;
    mod index;
    mod last_mark;
    mod liquidation;
    mod maintenance;
    mod margin;
    mod netting;
    mod order_margin;
    mod position;
    mod premium;
    mod reduce_only;
    mod refusals;
    mod remargin;
    mod risk;
    mod session;
    mod step_down;
    mod takeover;
}
