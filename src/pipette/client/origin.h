// Origin: where all calls go of a client that has one server. Internal to client/.
//
//   http://app:8080  +  /things?n=1  |  http://app:8080/things?n=1   -->   the URL of a call
//
// Errors    bad_uri for a base that is no origin, and for a URL of another one; those of parse_http_url().
// Lifetime  URLs: views into the base and into the text that was parsed.   Threads  one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pipette/base/result.h"
#include "pipette/http/uri.h"

namespace pipette::client {

class Origin {
 public:
  explicit Origin(std::string base);
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;

  // Of itself, with the path "/" or none.
  const Result<http::HttpUrl>& url() const { return url_; }
  Result<http::HttpUrl> parse(std::string_view text);

 private:
  Result<http::HttpUrl> with_target(std::string_view text, std::size_t target_at);

  const std::string text_;
  Result<http::HttpUrl> url_;  // views into text_
  std::string_view prefix_;    // of text_: scheme and authority

  // The last URL is often the next one too: what it was, and where its target stands in it.
  std::string last_;
  std::size_t last_at_ = 0;
  std::size_t last_size_ = 0;
};

}  // namespace pipette::client
