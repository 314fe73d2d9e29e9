//! As much of Rust's syntax as the rules need: comments, texts, blocks, functions, tests.

/// A source in two views with the same lines and columns as the original.
#[derive(Debug)]
pub(crate) struct Views {
    /// Comments and the insides of texts are blank.
    pub(crate) code: Vec<char>,
    /// Everything but comments is blank.
    pub(crate) comments: Vec<char>,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// From the line of `fn` to the line of the closing brace.
    pub(crate) lines: usize,
}

/// Splits `source` into code and comments.
pub(crate) fn views(source: &str) -> Views {
    let source: Vec<char> = source.chars().collect();
    let blank: Vec<char> =
        source.iter().map(|&found| if found == '\n' { '\n' } else { ' ' }).collect();
    let mut views = Views { code: source.clone(), comments: blank.clone() };
    let mut at = 0;
    while at < source.len() {
        let (end, is_comment) = match opaque(&source, at) {
            Some(found) => found,
            None => (at + 1, false),
        };
        if is_comment {
            views.comments[at..end].copy_from_slice(&source[at..end]);
        }
        if end > at + 1 {
            views.code[at..end].copy_from_slice(&blank[at..end]);
        }
        at = end;
    }
    views
}

/// Every function of `code` that has a body, nested ones too.
pub(crate) fn functions(code: &[char]) -> Vec<Function> {
    let mut functions = Vec::new();
    for at in 0..code.len() {
        if !is_word_at(code, at, "fn") {
            continue;
        }
        let name = code[at + 2..].iter().skip_while(|found| found.is_whitespace());
        let name: String = name.take_while(|found| is_word(**found)).collect();
        // Without a name it is the type of a function.
        if name.is_empty() {
            continue;
        }
        if let Some((_, end)) = block(code, at) {
            functions.push(Function { name, lines: breaks(&code[at..end]) + 1 });
        }
    }
    functions
}

/// `code` with every item under `#[cfg(test)]` and every `#[test]` function blank.
pub(crate) fn without_tests(code: &[char]) -> Vec<char> {
    let mut shipped = code.to_vec();
    for (start, end) in test_items(code) {
        for found in shipped[start..end].iter_mut().filter(|found| **found != '\n') {
            *found = ' ';
        }
    }
    shipped
}

/// How many lines belong to no item under `#[cfg(test)]`.
pub(crate) fn lines_without_tests(code: &[char]) -> usize {
    let tests: usize = test_items(code).map(|(start, end)| breaks(&code[start..end]) + 1).sum();
    breaks(code) - tests.min(breaks(code))
}

/// The end of the comment or text that starts at `at`, and whether it is a comment.
fn opaque(source: &[char], at: usize) -> Option<(usize, bool)> {
    let next = source.get(at + 1).copied();
    match (source[at], next) {
        ('/', Some('/')) => Some((line_end(source, at), true)),
        ('/', Some('*')) => Some((comment_end(source, at), true)),
        ('"', _) => Some((text_end(source, at + 1, '"'), false)),
        ('r', Some('"' | '#')) => raw_text_end(source, at + 1).map(|end| (end, false)),
        ('\'', Some('\\')) => Some((text_end(source, at + 1, '\''), false)),
        ('\'', Some(_)) if source.get(at + 2) == Some(&'\'') => Some((at + 3, false)),
        _ => None,
    }
}

fn line_end(source: &[char], at: usize) -> usize {
    source[at..].iter().position(|&found| found == '\n').map_or(source.len(), |found| at + found)
}

/// Block comments nest.
fn comment_end(source: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at + 1 < source.len() {
        match (source[at], source[at + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') if depth == 1 => return at + 2,
            ('*', '/') => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
    }
    source.len()
}

fn text_end(source: &[char], start: usize, quote: char) -> usize {
    let mut at = start;
    while at < source.len() {
        match source[at] {
            '\\' => at += 2,
            found if found == quote => return at + 1,
            _ => at += 1,
        }
    }
    source.len()
}

/// `start` is just after the `r`. `None` if this is an identifier such as `r#type`.
fn raw_text_end(source: &[char], start: usize) -> Option<usize> {
    let hashes = source[start..].iter().take_while(|&&found| found == '#').count();
    if source.get(start + hashes) != Some(&'"') {
        return None;
    }
    let mut closing = vec!['"'];
    closing.resize(hashes + 1, '#');
    let body = start + hashes + 1;
    let found = source[body..].windows(closing.len()).position(|window| window == closing);
    Some(found.map_or(source.len(), |found| body + found + closing.len()))
}

/// The first `{…}` after `at` outside round and square brackets, unless a `;` comes before it.
fn block(code: &[char], at: usize) -> Option<(usize, usize)> {
    let mut nested = 0_usize;
    for (start, found) in code.iter().enumerate().skip(at) {
        match found {
            '(' | '[' => nested += 1,
            ')' | ']' => nested = nested.saturating_sub(1),
            ';' if nested == 0 => return None,
            '{' if nested == 0 => return Some((start, block_end(code, start))),
            _ => {}
        }
    }
    None
}

fn block_end(code: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, found) in code.iter().enumerate().skip(start) {
        match found {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// From the attribute to the end of its item, for each outermost test item.
fn test_items(code: &[char]) -> impl Iterator<Item = (usize, usize)> {
    let mut items = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let is_test = ["#[cfg(test)]", "#[cfg(all(test", "#[test]"]
            .iter()
            .any(|attribute| starts_with(&code[at..], attribute));
        let end = match (is_test, block(code, at + 1)) {
            (false, _) => at + 1,
            (true, Some((_, end))) => {
                items.push((at, end));
                end
            }
            (true, None) => {
                let semicolon = code[at..].iter().position(|&found| found == ';');
                let end = semicolon.map_or(code.len(), |found| at + found + 1);
                items.push((at, end));
                end
            }
        };
        at = end;
    }
    items.into_iter()
}

fn starts_with(code: &[char], text: &str) -> bool {
    let mut found = code.iter();
    text.chars().all(|wanted| found.next() == Some(&wanted))
}

/// True if `word` stands at `at` and is not part of a longer word.
pub(crate) fn is_word_at(code: &[char], at: usize, word: &str) -> bool {
    let end = at + word.chars().count();
    starts_with(&code[at..], word)
        && !(at > 0 && is_word(code[at - 1]))
        && !code.get(end).is_some_and(|found| is_word(*found))
}

fn is_word(found: char) -> bool {
    found.is_alphanumeric() || found == '_' || found == '$'
}

fn breaks(code: &[char]) -> usize {
    code.iter().filter(|&&found| found == '\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        views(source).code.into_iter().collect()
    }

    #[test]
    fn comments_and_texts_are_blank_in_the_code() {
        assert_eq!(code("a // b\nc"), "a     \nc");
        assert_eq!(code("a/*/*b*/*/c"), "a         c");
        assert_eq!(code(r#"f("a\"}b", c)"#), "f(       , c)");
        assert_eq!(code("r#\"a\"b\"# c"), "         c");
        assert_eq!(code("r#type 'a' '\\'' <'a>"), "r#type          <'a>");
    }

    #[test]
    fn comments_are_kept_in_their_own_view() {
        let comments: String = views("a // b\n\"// c\"").comments.into_iter().collect();
        assert_eq!(comments, "  // b\n      ");
    }

    #[test]
    fn functions_are_measured_from_their_name_to_their_end() {
        let source = "trait A { fn a(&self); fn b(x: fn(u8) -> [u8; 2])\n-> u8 {\n{}\n} }";
        let found = functions(&views(source).code);
        assert_eq!(found, [Function { name: "b".to_owned(), lines: 4 }]);
    }

    #[test]
    fn test_items_do_not_count() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { }\n}\nfn c() {}\n";
        let code = views(source).code;
        assert_eq!(lines_without_tests(&code), 2);
        let shipped: String = without_tests(&code).into_iter().collect();
        assert!(shipped.contains("fn a"));
        assert!(shipped.contains("fn c"));
        assert!(!shipped.contains("fn b"));
    }

    #[test]
    fn a_module_of_tests_in_another_file_ends_at_its_semicolon() {
        let shipped = without_tests(&views("#[cfg(test)]\nmod tests;\nfn a() {}\n").code);
        assert!(shipped.into_iter().collect::<String>().contains("fn a() {}"));
    }
}
