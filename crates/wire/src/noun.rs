//! A declaration as the derive reads it: what the codec and the description are made from.

use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, Fields, Ident, Lit, LitInt, LitStr, Member,
    Meta, Result, Type, spanned::Spanned as _,
};

pub struct Noun {
    pub ident: Ident,
    /// In the description.
    pub name: String,
    pub doc: String,
    pub body: Body,
}

pub enum Body {
    Struct(Vec<Field>),
    Enum {
        /// The property that names the variant in JSON; `None`: the variant's name stands around its content.
        tag: Option<String>,
        variants: Vec<Variant>,
    },
}

pub struct Variant {
    pub ident: Ident,
    /// In JSON.
    pub name: String,
    pub doc: String,
    pub tag: u8,
    pub fields: Vec<Field>,
}

pub struct Field {
    pub member: Member,
    pub doc: String,
    pub ty: Type,
}

impl Noun {
    pub fn read(input: &DeriveInput) -> Result<Self> {
        if !input.generics.params.is_empty() {
            return Err(Error::new(input.generics.span(), "a noun of the wire has no parameters"));
        }
        let name = Wired::read(&input.attrs)?.name.unwrap_or_else(|| input.ident.to_string());
        let serde = Serde::read(&input.attrs)?;
        let body = match &input.data {
            Data::Struct(data) => {
                if serde.tag.is_some() || serde.case.is_some() {
                    return Err(Error::new(
                        input.ident.span(),
                        "fields are described under their own names",
                    ));
                }
                Body::Struct(fields(&data.fields)?)
            }
            Data::Enum(data) => {
                let variants =
                    data.variants.iter().map(|variant| Variant::read(variant, serde.case.as_ref()));
                let variants: Vec<Variant> = variants.collect::<Result<_>>()?;
                for (index, variant) in variants.iter().enumerate() {
                    if let Some(other) =
                        variants[..index].iter().find(|other| other.tag == variant.tag)
                    {
                        let text = format!("{} has the tag {} already", other.ident, other.tag);
                        return Err(Error::new(variant.ident.span(), text));
                    }
                }
                Body::Enum { tag: serde.tag, variants }
            }
            Data::Union(data) => {
                return Err(Error::new(data.union_token.span(), "a union has no bytes of its own"));
            }
        };
        Ok(Self { ident: input.ident.clone(), name, doc: doc(&input.attrs), body })
    }
}

impl Variant {
    fn read(variant: &syn::Variant, case: Option<&Case>) -> Result<Self> {
        no_serde(&variant.attrs)?;
        let tag = match (Wired::read(&variant.attrs)?.tag, &variant.discriminant) {
            (Some(tag), None) => tag,
            (None, Some((_, Expr::Lit(ExprLit { lit: Lit::Int(tag), .. })))) => {
                tag.base10_parse()?
            }
            _ => {
                return Err(Error::new(
                    variant.ident.span(),
                    "name the variant's byte once: `Variant = 0`, or #[wire(tag = 0)] in an enum with fields",
                ));
            }
        };
        if matches!(&variant.fields, Fields::Unnamed(fields) if fields.unnamed.len() != 1) {
            return Err(Error::new(variant.fields.span(), "name the fields, or have one"));
        }
        let ident = variant.ident.clone();
        let name = case.map_or_else(|| ident.to_string(), |case| case.of(&ident.to_string()));
        let fields = variant.fields.iter().zip(variant.fields.members()).map(Field::read);
        Ok(Self {
            ident,
            name,
            doc: doc(&variant.attrs),
            tag,
            fields: fields.collect::<Result<_>>()?,
        })
    }
}

impl Field {
    fn read((field, member): (&syn::Field, Member)) -> Result<Self> {
        no_serde(&field.attrs)?;
        Ok(Self { member, doc: doc(&field.attrs), ty: field.ty.clone() })
    }
}

fn fields(fields: &Fields) -> Result<Vec<Field>> {
    match fields {
        Fields::Named(_) => fields.iter().zip(fields.members()).map(Field::read).collect(),
        _ => Err(Error::new(fields.span(), "name the fields: they are properties in JSON")),
    }
}

/// What `#[wire(…)]` says.
#[derive(Default)]
struct Wired {
    name: Option<String>,
    tag: Option<u8>,
}

impl Wired {
    fn read(attrs: &[Attribute]) -> Result<Self> {
        let mut wired = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("wire")) {
            attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    wired.name = Some(meta.value()?.parse::<LitStr>()?.value());
                } else if meta.path.is_ident("tag") {
                    wired.tag = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
                } else {
                    return Err(meta.error("expected name = \"…\" or tag = N"));
                }
                Ok(())
            })?;
        }
        Ok(wired)
    }
}

/// What `#[serde(…)]` says on a type.
#[derive(Default)]
struct Serde {
    tag: Option<String>,
    case: Option<Case>,
}

impl Serde {
    fn read(attrs: &[Attribute]) -> Result<Self> {
        let mut serde = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("tag") {
                    serde.tag = Some(meta.value()?.parse::<LitStr>()?.value());
                } else if meta.path.is_ident("rename_all") {
                    let case: LitStr = meta.value()?.parse()?;
                    serde.case = Some(Case::read(&case)?);
                } else {
                    return Err(meta.error("the description knows tag and rename_all only"));
                }
                Ok(())
            })?;
        }
        Ok(serde)
    }
}

fn no_serde(attrs: &[Attribute]) -> Result<()> {
    match attrs.iter().find(|attr| attr.path().is_ident("serde")) {
        Some(attr) => {
            Err(Error::new(attr.span(), "the description knows no attribute of serde here"))
        }
        None => Ok(()),
    }
}

/// How a variant is written in JSON, as serde understands it.
pub enum Case {
    Snake,
    Kebab,
    Lower,
}

impl Case {
    fn read(case: &LitStr) -> Result<Self> {
        match case.value().as_str() {
            "snake_case" => Ok(Self::Snake),
            "kebab-case" => Ok(Self::Kebab),
            "lowercase" => Ok(Self::Lower),
            _ => Err(Error::new(
                case.span(),
                "the description knows snake_case, kebab-case and lowercase",
            )),
        }
    }

    fn of(&self, name: &str) -> String {
        let between = match self {
            Self::Snake => "_",
            Self::Kebab => "-",
            Self::Lower => "",
        };
        let mut written = String::new();
        for (index, letter) in name.char_indices() {
            if index > 0 && letter.is_ascii_uppercase() {
                written.push_str(between);
            }
            written.push(letter.to_ascii_lowercase());
        }
        written
    }
}

/// The doc comment, one line for each of its own.
fn doc(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[track_caller]
    fn refuses(input: &DeriveInput, expected: &str) {
        let error = Noun::read(input).err().expect("a refusal").to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn a_variant_is_named_as_serde_names_it() {
        let noun = Noun::read(&parse_quote! {
            #[serde(tag = "type", rename_all = "snake_case")]
            enum Action {
                /// Pay.
                #[wire(tag = 7)]
                ClaimVested { amount: u64 },
            }
        });
        let Ok(Noun { body: Body::Enum { tag, variants }, .. }) = noun else { panic!("an enum") };
        assert_eq!(tag.as_deref(), Some("type"));
        let claim = &variants[0];
        assert_eq!((&*claim.name, &*claim.doc, claim.tag), ("claim_vested", "Pay.", 7));
        let cases = [Case::Snake, Case::Kebab, Case::Lower].map(|case| case.of("AmdSevSnp"));
        assert_eq!(cases, ["amd_sev_snp", "amd-sev-snp", "amdsevsnp"]);
    }

    #[test]
    fn a_byte_is_named_once_and_for_one_variant() {
        refuses(
            &parse_quote!(
                enum Word {
                    Yes,
                }
            ),
            "name the variant's byte",
        );
        refuses(
            &parse_quote!(
                enum Word {
                    #[wire(tag = 0)]
                    Yes = 0,
                }
            ),
            "name the variant's byte",
        );
        refuses(
            &parse_quote!(
                enum Word {
                    Yes = 3,
                    No = 3,
                }
            ),
            "Yes has the tag 3 already",
        );
    }

    #[test]
    fn what_the_description_cannot_say_is_refused() {
        refuses(
            &parse_quote!(
                struct Noun {
                    #[serde(skip)]
                    field: u8,
                }
            ),
            "no attribute of serde",
        );
        refuses(
            &parse_quote!(
                #[serde(transparent)]
                struct Noun {
                    field: u8,
                }
            ),
            "tag and rename_all only",
        );
        refuses(
            &parse_quote!(
                struct Noun(u8);
            ),
            "name the fields",
        );
        refuses(
            &parse_quote!(
                enum Word {
                    #[wire(tag = 0)]
                    Two(u8, u8),
                }
            ),
            "name the fields, or have one",
        );
        refuses(
            &parse_quote!(
                struct Noun<T> {
                    field: T,
                }
            ),
            "no parameters",
        );
    }
}
