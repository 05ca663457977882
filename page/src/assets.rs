//! The page's files, in the binary, each also compressed: made by `page/web` and committed, so that cargo alone builds it.

/// A file as it is served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asset {
    pub(crate) path: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) plain: &'static [u8],
    pub(crate) gzip: &'static [u8],
    pub(crate) brotli: &'static [u8],
}

macro_rules! asset {
    ($path:literal, $file:literal, $content_type:literal) => {
        Asset {
            path: $path,
            content_type: $content_type,
            plain: include_bytes!(concat!("../assets/", $file)),
            gzip: include_bytes!(concat!("../assets/", $file, ".gz")),
            brotli: include_bytes!(concat!("../assets/", $file, ".br")),
        }
    };
}

pub(crate) const ASSETS: [Asset; 5] = [
    asset!("/", "index.html", "text/html; charset=utf-8"),
    asset!("/assets/app.js", "app.js", "text/javascript; charset=utf-8"),
    asset!("/assets/app.css", "app.css", "text/css; charset=utf-8"),
    asset!("/assets/icon.svg", "icon.svg", "image/svg+xml"),
    asset!("/assets/licences.txt", "licences.txt", "text/plain; charset=utf-8"),
];

/// How a file's bytes are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Plain,
    Gzip,
    Brotli,
}

impl Coding {
    /// The smallest that the header `Accept-Encoding` allows.
    pub(crate) fn accepted(header: &str) -> Self {
        let accepts = |coding: &str| {
            header.split(',').any(|item| {
                let (name, weight) = item.split_once(';').unwrap_or((item, ""));
                let is_refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32));
                name.trim().eq_ignore_ascii_case(coding) && !is_refused
            })
        };
        match (accepts("br"), accepts("gzip")) {
            (true, _) => Self::Brotli,
            (false, true) => Self::Gzip,
            (false, false) => Self::Plain,
        }
    }

    /// Its name in `Content-Encoding`.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }
}

impl Asset {
    pub(crate) fn bytes(&self, coding: Coding) -> &'static [u8] {
        match coding {
            Coding::Plain => self.plain,
            Coding::Gzip => self.gzip,
            Coding::Brotli => self.brotli,
        }
    }

    /// Quoted; another one for each coding.
    pub(crate) fn etag(&self, coding: Coding) -> String {
        format!("\"{}\"", &blake3::hash(self.bytes(coding)).to_hex()[..20])
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_compressed_forms_are_of_the_same_file() {
        for asset in ASSETS {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(asset.gzip).read_to_end(&mut plain).unwrap();
            assert!(plain == asset.plain, "{}: run `npm run build` in page/web", asset.path);
            assert!(!asset.brotli.is_empty());
        }
    }

    #[test]
    fn nothing_names_another_host() {
        for asset in ASSETS.iter().filter(|asset| asset.path != "/assets/licences.txt") {
            let text = String::from_utf8_lossy(asset.plain);
            for scheme in ["http://", "https://", "ws://", "wss://"] {
                for part in text.split(scheme).skip(1) {
                    // Names of XML namespaces, never asked for.
                    let host = &part[..part.len().min(11)];
                    assert!(host == "www.w3.org/", "{} names {host}", asset.path);
                }
            }
        }
    }

    #[test]
    fn the_best_coding_that_is_accepted_is_taken() {
        assert_eq!(Coding::accepted("gzip, deflate, br, zstd"), Coding::Brotli);
        assert_eq!(Coding::accepted("GZIP;q=0.5"), Coding::Gzip);
        assert_eq!(Coding::accepted("br;q=0, gzip;q=0.0"), Coding::Plain);
        assert_eq!(Coding::accepted(""), Coding::Plain);
    }
}
