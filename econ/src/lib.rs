//! The economy in pictures: supply by pool over the years, and a simulated market under the real price rule.
//!
//! Nothing here decides anything on a chain, so floats are allowed. The rules are those of `ledger` and
//! `jobs`; what buyers and providers do (`market`) is assumed, and every assumption is a named field.

mod market;
mod picture;

pub use market::{BAND_BPS, Block, Market, Run, Shock, run};
pub use picture::{NoPicture, market_svg, supply_svg};
