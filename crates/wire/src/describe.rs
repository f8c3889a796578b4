//! The description: a constant that says what the bytes and the JSON of a noun are.

use crate::noun::{Body, Field, Noun, Variant};
use proc_macro2::TokenStream;
use quote::quote;
use syn::Member;

pub fn expand(noun: &Noun) -> TokenStream {
    let Noun { ident, name, doc, body } = noun;
    let shape = match body {
        Body::Struct(fields) => {
            let fields = described(fields);
            quote! { ::types::describe::Shape::Struct(#fields) }
        }
        Body::Enum { tag, variants } => {
            let tag = match tag {
                Some(tag) => quote! { Some(#tag) },
                None => quote! { None },
            };
            let variants = variants.iter().map(variant);
            quote! { ::types::describe::Shape::Enum { tag: #tag, variants: &[ #(#variants),* ] } }
        }
    };
    quote! {
        impl ::types::describe::Wire for #ident {
            const TYPE: ::types::describe::Type = {
                const NOUN: ::types::describe::Noun = ::types::describe::Noun { name: #name, doc: #doc, shape: #shape };
                ::types::describe::Type::Noun(&NOUN)
            };
        }
    }
}

fn variant(variant: &Variant) -> TokenStream {
    let Variant { name, doc, tag, fields, .. } = variant;
    let content = match &fields[..] {
        [] => quote! { ::types::describe::Content::None },
        [Field { member: Member::Unnamed(_), ty, .. }] => {
            quote! { ::types::describe::Content::Item(<#ty as ::types::describe::Wire>::TYPE) }
        }
        fields => {
            let fields = described(fields);
            quote! { ::types::describe::Content::Fields(#fields) }
        }
    };
    quote! { ::types::describe::Variant { name: #name, doc: #doc, tag: #tag, content: #content } }
}

fn described(fields: &[Field]) -> TokenStream {
    let fields = fields.iter().map(|Field { member, doc, ty }| {
        let name = match member {
            Member::Named(name) => name.to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        };
        quote! {
            ::types::describe::Field { name: #name, doc: #doc, of: <#ty as ::types::describe::Wire>::TYPE }
        }
    });
    quote! { &[ #(#fields),* ] }
}
