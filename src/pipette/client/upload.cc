#include "pipette/client/upload.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "pipette/http/multipart_writer.h"

namespace pipette::client {
namespace {

constexpr std::size_t kBoundaryOctets = 16;

http::Boundary draw_boundary(Random& random) {
  std::array<char, kBoundaryOctets> octets;
  std::uint64_t drawn = 0;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (i % 8 == 0) drawn = random.next();
    octets[i] = static_cast<char>(drawn >> (i % 8 * 8) & 0xff);
  }
  return *http::Boundary::from_random({octets.data(), octets.size()});
}

Result<void> set_body(Request& request, std::string_view content_type, std::string body) {
  if (const Result<void> set = request.fields.set("Content-Type", content_type); !set) return set;
  request.body = std::move(body);
  return {};
}

}  // namespace

Result<void> set_form(Request& request, const http::Args& args) {
  std::string body;
  args.write(body);
  return set_body(request, "application/x-www-form-urlencoded", std::move(body));
}

Result<void> set_multipart(Request& request, std::span<const Part> parts, Random& random) {
  http::MultipartWriter writer(draw_boundary(random));
  std::string body;
  for (const Part& part : parts) {
    const http::PartInfo info{part.name, part.filename, part.content_type};
    if (const Result<void> added = writer.add_file(info, part.content, body); !added) return added;
  }
  if (const Result<void> finished = writer.finish(body); !finished) return finished;
  return set_body(request, writer.content_type(), std::move(body));
}

}  // namespace pipette::client
