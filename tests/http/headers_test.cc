// The headers of http/ go into one file together: no two of them define the same. What is wrong does not compile.
#include <gtest/gtest.h>

#include "pipette/http/args.h"
#include "pipette/http/auth.h"
#include "pipette/http/body_reader.h"
#include "pipette/http/body_writer.h"
#include "pipette/http/conditional.h"
#include "pipette/http/cookie.h"
#include "pipette/http/date.h"
#include "pipette/http/entity_tag.h"
#include "pipette/http/escape.h"
#include "pipette/http/field_list.h"
#include "pipette/http/field_name.h"
#include "pipette/http/fields.h"
#include "pipette/http/form.h"
#include "pipette/http/framing.h"
#include "pipette/http/head.h"
#include "pipette/http/head_parser.h"
#include "pipette/http/head_writer.h"
#include "pipette/http/host.h"
#include "pipette/http/media_type.h"
#include "pipette/http/memory_files.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/method.h"
#include "pipette/http/multipart.h"
#include "pipette/http/multipart_reader.h"
#include "pipette/http/multipart_writer.h"
#include "pipette/http/negotiation.h"
#include "pipette/http/percent.h"
#include "pipette/http/range.h"
#include "pipette/http/set_cookie.h"
#include "pipette/http/status.h"
#include "pipette/http/trailer.h"
#include "pipette/http/uri.h"
#include "pipette/http/vary.h"

namespace pipette::http {
namespace {

TEST(Headers, GoTogether) { SUCCEED(); }

}  // namespace
}  // namespace pipette::http
