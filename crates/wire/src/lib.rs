//! Derive a noun's bytes, and a description of them, from its declaration.
//!
//! `#[derive(Wire)]` on a struct or enum writes two things beside it:
//!
//! ```text
//! #[derive(Wire)]          codec.rs     Write, EncodeSize, Read       what the program runs
//! pub struct Tx { … } ──▶
//!                          describe.rs  Wire::TYPE                    what `cargo xtask codegen` reads:
//!                                                                     names, docs, types, tags, form in JSON
//! ```
//! A struct is its fields in the order declared. An enum is one tag byte, then the variant's fields. Each variant names its
//! tag, as a discriminant (`Yes = 0`) or, in an enum with fields, as an attribute (`#[wire(tag = 0)]`), so that moving a
//! variant never changes a byte. The description is a constant: a program that does not ask for it does not contain it.
//!
//! The form in JSON follows `#[serde(tag = "…")]` and `#[serde(rename_all = "…")]`. Any other attribute of serde is refused,
//! because the description would not know of it.
//!
//! Not here: the traits and the encodings of integers, lists and text (`types::codec`, `types::describe`), and nouns whose
//! bytes are not their fields in order. Those implement the traits by hand.

#![forbid(unsafe_code)]

mod codec;
mod describe;
mod noun;

use proc_macro::TokenStream;
use quote::quote;

/// Derive `Write`, `EncodeSize` and `Read` of `types::codec`, and `Wire` of `types::describe`.
///
/// `#[wire(name = "…")]` on the type gives it another name in the description; `#[wire(tag = N)]` on a variant is its byte.
#[proc_macro_derive(Wire, attributes(wire))]
pub fn derive_wire(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    match noun::Noun::read(&input) {
        Ok(noun) => {
            let (codec, description) = (codec::expand(&noun), describe::expand(&noun));
            quote! { #codec #description }.into()
        }
        Err(error) => error.into_compile_error().into(),
    }
}
