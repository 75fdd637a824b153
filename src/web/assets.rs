//! Static files: embedded, named by the hash of their content, so that browsers may keep them for ever.

use std::{collections::BTreeMap, sync::LazyLock};

use actix_web::{HttpResponse, http::header, web::Path};
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use super::WebError;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/static");
static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);

struct Assets {
    href_by_name: BTreeMap<String, String>,
    by_hashed_name: BTreeMap<String, (&'static str, &'static [u8])>,
}

impl Assets {
    fn load() -> Self {
        let mut assets = Self { href_by_name: BTreeMap::new(), by_hashed_name: BTreeMap::new() };
        for file in FILES.files() {
            let name = file.path().to_string_lossy().into_owned();
            let hash: String =
                Sha256::digest(file.contents()).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
            let hashed = format!("{stem}.{hash}.{extension}");
            assets.by_hashed_name.insert(hashed.clone(), (content_type(extension), file.contents()));
            assets.href_by_name.insert(name, format!("/static/{hashed}"));
        }
        assets
    }
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The address of the file `name` of `static/`. A name that is not there is a mistake of a template, which the test of
/// all templates finds; the address then leads nowhere.
#[must_use]
pub fn href(name: &str) -> &'static str {
    ASSETS.href_by_name.get(name).map_or("/static/missing", String::as_str)
}

/// How many bytes the file `name` has, for checks of page sizes.
#[must_use]
pub fn size(name: &str) -> usize {
    let hashed = href(name).trim_start_matches("/static/");
    ASSETS.by_hashed_name.get(hashed).map_or(0, |(_, bytes)| bytes.len())
}

/// `GET /static/{file}`
///
/// # Errors
/// [`WebError::NotFound`] for a name, or a hash, that this binary does not have.
pub async fn get(file: Path<String>) -> Result<HttpResponse, WebError> {
    let (kind, bytes) = ASSETS.by_hashed_name.get(file.as_str()).ok_or(WebError::NotFound)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, *kind))
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_content() {
        let href = href("base.css");
        assert!(href.starts_with("/static/base.") && href.ends_with(".css") && href.len() == 29, "{href}");
        assert!(size("base.css") > 0);
        assert_eq!(super::href("no-such-file"), "/static/missing");
    }
}
