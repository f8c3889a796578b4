//! The economy in pictures.

use crate::support::User;

#[test]
fn the_market_settles_and_is_drawn() {
    let user = User::new();
    let words = ["econ", "sim", "--seed", "3", "--from", "above", "--out", "market.svg"];
    let said = user.lab(&words).exits(0);
    assert!(said.text().contains("from the start: within 5 points of 60 %"), "{}", said.text());
    user.lab(&["econ", "plot", "--out", "supply.svg"]).exits(0);
    for picture in ["market.svg", "supply.svg"] {
        let svg = std::fs::read_to_string(user.0.path().join(picture)).unwrap();
        assert!(svg.starts_with("<svg"), "{picture}");
    }
}
