// A file as a body.
//
//   Result<net::OpenedFile> report = net::open_file("/srv/report.pdf");
//   request.body_source = report->source.get();   request.body_length = report->size;
//
// Its length is the one it has when it is opened; a file that is cut meanwhile cuts the message short. It is read on
// the loop's thread, piece by piece as the peer takes them: for files that the system has in memory anyway.
//
// Errors    of open() and fstat() as they are; Errc::not_supported for what is no regular file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/net/body_source.h"

namespace pipette::net {

struct OpenedFile {
  std::unique_ptr<BodySource> source;
  std::uint64_t size = 0;
  WallTime modified{};
};

Result<OpenedFile> open_file(const std::string& path);

}  // namespace pipette::net
