// The parameters of a request: those of its query, of a form in its body, of the parts of a multipart body.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "pipette/server/request_ctx.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using test::answer_of;
using test::bodies;
using test::get;
using test::post;
using test::Serving;
using testing::ElementsAre;

constexpr std::string_view kForm = "application/x-www-form-urlencoded";
constexpr std::string_view kMultipart = "multipart/form-data; boundary=b";
constexpr std::string_view kUpload =
    "--b\r\nContent-Disposition: form-data; name=title\r\n\r\nHello\r\n"
    "--b\r\nContent-Disposition: form-data; name=photo; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n"
    "--b\r\nContent-Disposition: form-data; name=title\r\n\r\nagain\r\n"
    "--b--\r\n";

// The pairs, written again, or "too many".
std::string written(const Result<const http::Args*>& args) {
  if (!args) return args.error() == Errc::too_many_args ? "too many" : args.error().message();
  std::string text;
  (*args)->write(text);
  return text;
}

std::string many_pairs() {
  std::string text;
  for (std::size_t i = 0; i <= http::kMaxArgs; ++i) text += "a&";
  return text;
}

TEST(QueryArgs, ArePairsInOrder) {
  answer_of([](RequestCtx& ctx) { EXPECT_EQ(written(ctx.query_args()), ""); });
  answer_of(
      [](RequestCtx& ctx) {
        EXPECT_EQ(written(ctx.query_args()), "a=1&b=x+y&a=2&flag&e=");
        EXPECT_EQ((*ctx.query_args())->get("a"), "1");
        EXPECT_EQ(*ctx.query_args(), *ctx.query_args()) << "parsed once";
      },
      get("/?a=1&b=x%20y&&a=2&flag&e="));
}

TEST(QueryArgs, AreSoManyAtMost) {
  answer_of(
      [](RequestCtx& ctx) {
        EXPECT_EQ(written(ctx.query_args()), "too many");
        EXPECT_EQ(written(ctx.query_args()), "too many") << "the second time";
        EXPECT_EQ(ctx.form_value("a"), std::nullopt);
        EXPECT_EQ(ctx.query("a"), "") << "which looks at no more than it must";
      },
      get("/?" + many_pairs()));
}

TEST(QueryArgs, AreThoseOfTheirRequest) {
  Serving app([](RequestCtx& ctx) { ctx.set_body(written(ctx.query_args())); });
  const std::string requests = get("/?a=1") + get("/?" + many_pairs()) + get("/") + get("/?b");
  EXPECT_THAT(bodies(app.answer_to(requests)), ElementsAre("a=1", "too many", "", "b"));
}

TEST(PostArgs, AreReadFromAFormAndNothingElse) {
  struct Row {
    std::string_view type;
    std::string_view body;
    std::string_view args;
  };
  constexpr Row kRows[] = {
      {kForm, "a=1&b=x+y", "a=1&b=x+y"},
      {"Application/X-WWW-Form-URLencoded; charset=utf-8", "a=%41", "a=A"},
      {kForm, "", ""},
      {"text/plain", "a=1", ""},
      {"application/x-www-form-urlencoded2", "a=1", ""},
      {"application", "a=1", ""},
      {"", "a=1", ""},
      {"application/x-www-form-urlencoded\r\nContent-Type: text/plain", "a=1", ""},  // which of the two?
  };
  for (const Row& row : kRows) {
    answer_of([&](RequestCtx& ctx) { EXPECT_EQ(written(ctx.post_args()), row.args) << row.type; },
              post("/?query=1", row.type, row.body));
  }
  answer_of([](RequestCtx& ctx) { EXPECT_EQ(written(ctx.post_args()), ""); }, get("/?a=1"));
}

TEST(PostArgs, AreSoManyAtMost) {
  answer_of([](RequestCtx& ctx) { EXPECT_EQ(written(ctx.post_args()), "too many"); }, post("/", kForm, many_pairs()));
}

TEST(PostArgs, AreThoseOfTheirRequestWhateverItsSize) {
  Serving app([](RequestCtx& ctx) {
    const Result<const http::Args*> args = ctx.post_args();
    const auto value = args ? (*args)->get("a") : std::nullopt;
    ctx.set_body(std::to_string(value ? value->size() : 0));
  });
  const std::string large = post("/", kForm, "a=" + std::string(100'000, 'x'));
  const std::string requests = post("/", kForm, "a=xx") + large + get("/") + post("/", kForm, "a=xxx");
  EXPECT_THAT(bodies(app.answer_to(requests)), ElementsAre("2", "100000", "0", "3"));
}

TEST(MultipartForm, HasValuesAndFiles) {
  answer_of(
      [](RequestCtx& ctx) {
        const Result<const http::Form*> form = ctx.multipart_form();
        ASSERT_TRUE(form);
        EXPECT_EQ((*form)->values.size(), 2U);
        EXPECT_EQ((*form)->value("title"), "Hello");
        EXPECT_EQ(*ctx.multipart_form(), *form) << "parsed once";
        const http::FormFile* const photo = ctx.form_file("photo");
        ASSERT_NE(photo, nullptr);
        EXPECT_EQ(photo->filename, "a.png");
        EXPECT_EQ(photo->content_type, "image/png");
        EXPECT_EQ(photo->content, "PNG");
        EXPECT_EQ(ctx.form_file("title"), nullptr);
      },
      post("/", kMultipart, kUpload));
}

TEST(MultipartForm, IsRefusedWithAReason) {
  struct Row {
    std::string_view type;
    std::string_view body;
    Errc error;
  };
  const Row rows[] = {
      {"text/plain", kUpload, Errc::bad_media_type},
      {"", kUpload, Errc::bad_media_type},
      {"multipart/mixed; boundary=b", kUpload, Errc::bad_media_type},
      {"multipart/form-data; boundary=b\r\nContent-Type: text/plain", kUpload, Errc::bad_media_type},
      {"multipart/form-data", kUpload, Errc::bad_multipart},
      {kMultipart, kUpload.substr(0, kUpload.size() - 10), Errc::bad_multipart},
      {kMultipart, "", Errc::bad_multipart},
  };
  for (const Row& row : rows) {
    answer_of(
        [&](RequestCtx& ctx) {
          for (int i = 0; i < 2; ++i) {
            const Result<const http::Form*> form = ctx.multipart_form();
            ASSERT_FALSE(form) << row.type;
            EXPECT_EQ(form.error(), row.error) << row.type;
          }
          EXPECT_EQ(ctx.form_file("photo"), nullptr);
          EXPECT_EQ(ctx.form_value("title"), std::nullopt);
        },
        post("/", row.type, row.body));
  }
}

TEST(MultipartForm, KeepsToTheLimitsOfTheFirstCall) {
  http::MultipartLimits limits;
  limits.max_parts = 2;
  answer_of(
      [&](RequestCtx& ctx) {
        EXPECT_EQ(ctx.multipart_form(limits).error(), Errc::too_many_parts);
        EXPECT_EQ(ctx.multipart_form().error(), Errc::too_many_parts);
      },
      post("/", kMultipart, kUpload));
  limits.max_parts = 3;
  answer_of([&](RequestCtx& ctx) { EXPECT_TRUE(ctx.multipart_form(limits)); }, post("/", kMultipart, kUpload));
}

TEST(MultipartForm, IsThatOfItsRequest) {
  Serving app([](RequestCtx& ctx) { ctx.set_body(ctx.form_file("photo") == nullptr ? "none" : "one"); });
  const std::string upload = post("/", kMultipart, kUpload);
  EXPECT_THAT(bodies(app.answer_to(upload + get("/") + upload)), ElementsAre("one", "none", "one"));
}

TEST(FormValue, IsFoundInTheQueryFirstThenInTheBody) {
  struct Row {
    std::string_view target;
    std::string_view type;
    std::string_view body;
    std::string_view value;
  };
  constexpr Row kRows[] = {
      {"/?title=query", kForm, "title=body", "query"},
      {"/?title", kForm, "title=body", ""},
      {"/?other=1", kForm, "title=body&title=2", "body"},
      {"/?title=query", kMultipart, kUpload, "query"},
      {"/", kMultipart, kUpload, "Hello"},
      {"/", "text/plain", "title=body", "(none)"},
  };
  for (const Row& row : kRows) {
    answer_of([&](RequestCtx& ctx) { EXPECT_EQ(ctx.form_value("title").value_or("(none)"), row.value) << row.target; },
              post(row.target, row.type, row.body));
  }
}

}  // namespace
}  // namespace pipette::server
