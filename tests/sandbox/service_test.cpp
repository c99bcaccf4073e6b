// SPDX-License-Identifier: Apache-2.0
// What lives beside the conversations, in the uneven shapes of the service.
#include "tests/sandbox/visitor.hpp"

#include <zlib.h>

namespace alli::sandbox {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> with_category(Visitor& visitor, const std::string& shown)
{
    std::vector<std::string> ids;
    for (const Json& item : visitor.walk(""))
        for (const Json& one : item.at("categories"))
            if (one == shown) ids.push_back(item.at("id"));
    return ids;
}

TEST(Categories, AreShownByNameAndAskedForById)
{
    Visitor visitor;
    const std::string id = visitor.category_id("archive");
    EXPECT_NE(id, "archive");
    const auto archived = with_category(visitor, "archive");
    ASSERT_FALSE(archived.empty());
    EXPECT_EQ(ids_of(visitor.walk("categoryId=" + escaped(id))), archived);
    EXPECT_TRUE(visitor.walk("categoryId=archive").empty()) << "a name is no id";
}

TEST(Categories, MayBeShownById)
{
    Visitor visitor{{.categories_hold = CategoriesHold::ids}};
    const std::string id = visitor.category_id("archive");
    const auto archived = with_category(visitor, id);
    ASSERT_FALSE(archived.empty());
    EXPECT_EQ(ids_of(visitor.walk("categoryId=" + escaped(id))), archived);
    EXPECT_TRUE(with_category(visitor, "archive").empty());
}

TEST(Categories, AreWrittenByIdAndKeepWhatNamesNone)
{
    Visitor visitor;
    const std::string id = visitor.sandbox.add_conversation(1), archive = visitor.category_id("archive");
    const Json edit{{"categoryIds", {archive, "of later"}}};
    const Json expected = Json::array({"archive", "of later"});
    EXPECT_EQ(Json::parse(visitor.send("PUT", path_of(id), edit).body).at("categories"), expected);
    EXPECT_EQ(visitor.get(path_of(id)).at("categories"), expected);
    visitor.sandbox.edit_conversation(id, "categories", R"(["archive"])");
    EXPECT_EQ(visitor.get(path_of(id)).at("categories"), Json::array({"archive"}));
    EXPECT_EQ(ids_of(visitor.walk("categoryId=" + escaped(archive) + "&pageSize=1")).front(), id);
}

TEST(Categories, ComeAndGo)
{
    Visitor visitor;
    const std::string path = "/webapi/v2/conversation_categories";
    const Json made = Json::parse(visitor.send("POST", path, {{"name", "새로운"}}).body);
    EXPECT_EQ(made.at("name"), "새로운");
    const std::string id = visitor.sandbox.add_conversation(1);
    visitor.sandbox.edit_conversation(id, "categories", R"(["새로운","archive"])");
    const std::string one = path + '/' + escaped(made.at("categoryId").get<std::string>());
    EXPECT_EQ(visitor.send("DELETE", one).status, 200);
    EXPECT_EQ(visitor.send("DELETE", one).status, 404);
    EXPECT_EQ(visitor.get(path_of(id)).at("categories"), Json::array({"archive"}));
    EXPECT_EQ(visitor.send("GET", path).body.find("새로운"), std::string::npos);
    for (const Json& bad : {Json{{"name", 7}}, Json{{"title", "x"}}, Json::array()})
        EXPECT_EQ(visitor.send("POST", path, bad).status, 400) << bad;
}

TEST(Apps, ComeByPageInOneApiAndAtOnceInTheOther)
{
    Visitor visitor;
    const Json all = visitor.get("/webapi/apps").at("apps");
    std::vector<Json> paged;
    std::string cursor;
    for (int page = 0; page < 9; ++page) {
        const Json answer = visitor.get("/webapi/v2/apps?pageSize=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
        EXPECT_LE(answer.at("apps").size(), 2u);
        for (const Json& app : answer.at("apps")) paged.push_back(app);
        if (answer.at("cursor").is_null()) break;
        cursor = answer.at("cursor");
    }
    ASSERT_EQ(paged.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(paged[i].at("id"), all[i].at("id"));
    const Json one = visitor.get("/webapi/v2/apps/" + escaped(all[0].at("id").get<std::string>()));
    EXPECT_EQ(one.at("name"), all[0].at("name")) << "bare";
    EXPECT_EQ(visitor.status("/webapi/v2/apps/none"), 404);
    for (const char* bad : {"?pageSize=0", "?pageSize=x", "?cursor=x", "?cursor=%00"})
        EXPECT_EQ(visitor.status(std::string("/webapi/v2/apps") + bad), 400) << bad;
}

TEST(Project, HasListsOfWhatLivesBesideTheConversations)
{
    Visitor visitor;
    const Json projects = visitor.get("/webapi/v2/projects");
    ASSERT_TRUE(projects.is_array());
    EXPECT_TRUE(projects.at(0).contains("id"));
    EXPECT_FALSE(visitor.get("/webapi/v2/hashtags").at("hashtags").empty());
    const Json base = visitor.get("/webapi/v2/knowledge_bases").at("knowledgeBases").at(3);
    EXPECT_EQ(visitor.get("/webapi/v2/knowledge_bases/" + base.at("id").get<std::string>()), base);
    EXPECT_EQ(visitor.status("/webapi/v2/knowledge_bases/none"), 404);
    EXPECT_EQ(visitor.send("POST", "/webapi/v2/projects").status, 405);
}

TEST(GenerativeAnswer, StreamsWhatIsNewOfItAndThenAllOfIt)
{
    Visitor visitor{{.run_time = 100ms}};
    const std::string path = "/webapi/v2/apps/" + escaped(visitor.sandbox.app_ids()[0]) + "/generative_answer";
    const HttpReply reply = visitor.send("POST", path, {{"query", "온천은 어디에 있나요?"}});
    ASSERT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("Content-Type"), "application/stream+json");
    EXPECT_EQ(reply.header("Transfer-Encoding"), "chunked");
    std::string so_far;
    Json last;
    for (std::string_view rest = reply.body; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
        last = Json::parse(rest.substr(0, rest.find('\n')));
        if (last.at("type") == "delta") so_far += last.at("delta").get<std::string>();
    }
    EXPECT_EQ(last.at("type"), "final");
    EXPECT_EQ(last.at("answer"), so_far);
    EXPECT_NE(so_far.find("온천은 어디에 있나요?"), so_far.npos);
    EXPECT_EQ(visitor.send("POST", path, {{"question", "x"}}).status, 400);
    EXPECT_EQ(visitor.send("POST", "/webapi/v2/apps/none/generative_answer", {{"query", "x"}}).status, 404);
}

TEST(Envelope, IsAroundAnswersAboutOneThingAlone)
{
    Visitor visitor{{.envelope = true}};
    const Json list = visitor.get(list_path);
    const std::string id = list.at("conversations").at(0).at("id");
    const Json one = visitor.get(path_of(id));
    EXPECT_EQ(one.size(), 1u);
    EXPECT_EQ(one.at("result").at("id"), id);
    EXPECT_TRUE(visitor.get(path_of(id, "/running")).at("result").at("isRunning").is_boolean());
    const Json chats = visitor.get(path_of(id, "/chats")).at("chats");
    const std::string chat = chats.at(0).at("id");
    EXPECT_EQ(visitor.get(path_of(id, "/chats/" + escaped(chat))).at("result").at("id"), chat);
    const Json renamed = Json::parse(visitor.send("PUT", path_of(id, "/title"), {{"title", "x"}}).body);
    EXPECT_EQ(renamed.at("result").at("title"), "x");
    EXPECT_TRUE(visitor.get("/webapi/v2/projects").is_array());
    EXPECT_TRUE(Json::parse(visitor.send("GET", path_of("none")).body).contains("code")) << "an error is bare";
}

std::string unpacked(const std::string& packed)
{
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
    std::string source = packed, plain(1 << 22, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(source.data());
    stream.avail_in = static_cast<uInt>(source.size());
    stream.next_out = reinterpret_cast<Bytef*>(plain.data());
    stream.avail_out = static_cast<uInt>(plain.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    plain.resize(stream.total_out);
    inflateEnd(&stream);
    return plain;
}

TEST(Compression, IsForWhoAcceptsIt)
{
    Visitor visitor{{.run_time = 50ms, .compress = true}};
    const std::string plain = visitor.send("GET", list_path).body;
    const Headers accepting{{"API-KEY", "sandbox"}, {"Accept-Encoding", "br, gzip"}};
    const HttpReply packed = visitor.connection.send("GET", list_path, accepting);
    EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
    EXPECT_LT(packed.body.size(), plain.size() / 2);
    EXPECT_EQ(unpacked(packed.body), plain);
    const std::string run = "/webapi/apps/" + escaped(visitor.sandbox.app_ids()[0]) + "/run";
    const HttpReply stream =
        visitor.connection.send("POST", run, accepting, R"({"mode":"stream","chat":{"message":"words"}})");
    EXPECT_TRUE(stream.complete);
    EXPECT_EQ(stream.header("Content-Encoding"), "gzip");
    EXPECT_NE(unpacked(stream.body).find("words"), std::string::npos);
}

} // namespace
} // namespace alli::sandbox
