//! Rules by example.

use centum_testkit::scenario_on_twin;

/// BOOK-1: better price first, then earlier order. FEE-1: taker pays 0.075%, maker receives 0.025%.
#[test]
fn a_taker_fills_the_earlier_of_two_equal_asks_first() {
    scenario_on_twin(
        "
        alice sell 100 @ 10000.0   -> alice new
        bob   sell 200 @ 10000.0   -> bob   new
        carol buy  250 @ 10000.0   -> carol new
                                   -> carol take 100 fee  750   alice make 100 fee -250 leaves 0
                                   -> carol take 150 fee 1125   bob   make 150 fee -375 leaves 50
        book                       -> ask 50 @ 10000.0
        wallet   carol             -> balance 999998125
        position carol             -> qty 250 cost -2500000
        position alice             -> qty -100 cost 1000000 realised 250
    ",
    );
}
