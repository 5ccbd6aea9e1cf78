#include "pipette/client/origin.h"

#include <utility>

#include "pipette/base/ascii.h"

namespace pipette::client {

Origin::Origin(std::string base) : text_(std::move(base)), url_(http::parse_http_url(text_)) {
  if (url_ && !url_->target.empty() && url_->target != "/") url_ = fail(Errc::bad_uri);
  if (!url_) return;
  const char* const end = url_->authority.data() + url_->authority.size();
  prefix_ = std::string_view(text_).substr(0, static_cast<std::size_t>(end - text_.data()));
}

Result<http::HttpUrl> Origin::parse(std::string_view text) {
  if (!url_) return fail(Errc::bad_uri);
  if (!text.empty() && text == last_) {
    http::HttpUrl url = *url_;
    url.target = text.substr(last_at_, last_size_);
    return url;
  }
  if (text.starts_with('/')) return with_target(text, 0);
  const bool is_written_alike = text.starts_with(prefix_) && text.substr(prefix_.size()).starts_with('/');
  if (is_written_alike) return with_target(text, prefix_.size());
  const Result<http::HttpUrl> parsed = http::parse_http_url(text);
  const bool is_ours = parsed && parsed->is_https == url_->is_https && parsed->port == url_->port &&
                       ascii::equal_ignoring_case(parsed->host, url_->host);
  return is_ours || !parsed ? parsed : fail(Errc::bad_uri);
}

Result<http::HttpUrl> Origin::with_target(std::string_view text, std::size_t target_at) {
  http::HttpUrl url = *url_;
  const std::string_view rest = text.substr(target_at);
  url.target = rest.substr(0, rest.find('#'));
  if (!http::is_target(url.target)) return fail(Errc::bad_uri);
  last_ = text;
  last_at_ = target_at;
  last_size_ = url.target.size();
  return url;
}

}  // namespace pipette::client
