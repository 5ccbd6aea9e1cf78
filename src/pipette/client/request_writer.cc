#include "pipette/client/request_writer.h"

#include "pipette/client/decode.h"
#include "pipette/client/default_fields.h"
#include "pipette/coding/coding.h"

namespace pipette::client {
namespace {}  // namespace

Result<void> check(const Request& request) {
  if (request.method == http::Method::connect || request.method == http::Method::other) return fail(Errc::bad_method);
  const http::Fields& fields = request.fields.view();
  if (fields.contains(http::FieldName::content_length) || fields.contains(http::FieldName::transfer_encoding)) {
    return fail(Errc::managed_field);
  }
  return {};
}

Result<http::BodyLength> RequestWriter::write(Buffer& out, const http::HttpUrl& url, const Request& request,
                                              const Terms& terms) {
  const bool is_dressed =
      terms.fields != nullptr || terms.overrides != nullptr || terms.decompresses || proxy_ != nullptr;
  if (is_dressed) {
    if (const Result<void> done = dress(request, terms); !done) return fail(done.error());
  }
  http::RequestHeadParts parts;
  parts.method = request.method;
  parts.target = http::RequestTarget::of_parsed(url.authority, url.target);
  parts.fields = is_dressed ? dressed_ : request.fields;
  parts.user_agent = http::FieldValue::checked(options_.user_agent);
  parts.length = request.body_source == nullptr ? http::KnownLength(request.body.size()) : request.body_length;
  parts.expects_continue = terms.expects_continue;
  if (proxy_ != nullptr) {
    const Result<http::RequestTarget> target = whole_target(url);
    if (!target) return fail(target.error());
    parts.target = *target;
  }
  const bool goes_along =
      request.body_source == nullptr && request.body.size() < kLargeBodyBytes && !terms.expects_continue;
  return http::write_request_head(out, parts, goes_along ? Bytes(request.body) : Bytes());
}

// RFC 9112 §3.2.2: a proxy is asked with the whole URL.
Result<http::RequestTarget> RequestWriter::whole_target(const http::HttpUrl& url) {
  path_.assign(url.target_prefix()).append(url.target);
  return http::RequestTarget::absolute("http", url.authority, path_);
}

Result<void> RequestWriter::dress(const Request& request, const Terms& terms) {
  dressed_ = request.fields;
  if (terms.fields != nullptr) {
    if (const Result<void> set = add_default_fields(dressed_, *terms.fields, request.fields); !set) return set;
  }
  if (terms.overrides != nullptr) {
    for (std::size_t i = 0; i < terms.overrides->size(); ++i) {
      const http::Field field = (*terms.overrides)[i];
      if (const Result<void> set = dressed_.set(field.name, field.value); !set) return set;
    }
  }
  if (asks_for_codings(request, terms)) {
    if (const Result<void> set = dressed_.set_default("Accept-Encoding", coding::kAccepted); !set) return set;
  }
  if (proxy_ == nullptr || proxy_->authorization().empty()) return {};
  return dressed_.set_default("Proxy-Authorization", proxy_->authorization());
}

}  // namespace pipette::client
