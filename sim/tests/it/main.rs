//! Whole simulations: that they replay, that they pass, and that planted bugs do not.

mod equivocation;
mod planted;
mod replay;
mod terms;
mod wiped;
