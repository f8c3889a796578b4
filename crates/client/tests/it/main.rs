//! The SDK from outside: programs of other people.

mod catalog;
mod programs;
mod reference;
