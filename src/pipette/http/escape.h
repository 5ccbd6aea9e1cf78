// Escaping for HTML: text that somebody else chose, put into a page as text.
//
//   append_html_escaped("<b>\"Tom\" & 'Jerry'</b>", out)  -->  &lt;b&gt;&#34;Tom&#34; &amp; &#39;Jerry&#39;&lt;/b&gt;
//
// Safe between tags and inside a quoted attribute value; not in a script, a style, an unquoted value or a URL. Octets
// are not looked at as characters, so text in UTF-8 stays what it was, valid or not.
//
// Lifetime  reads `text` during the call only; `text` is no part of `out`.        Threads  pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace pipette::http {

void append_html_escaped(std::string_view text, std::string& out);

}  // namespace pipette::http
