/* VOEvent XML through libxml2: from memory, no network, no document type declaration (so no entities but XML's five),
 * bounded size and depth, errors as one sentence and never on stderr. The document becomes a list of sayings. */
#include "ingest/notice_inside.h"
#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* libxml2's pointers are of unsigned characters; ours are not. */
static const char *chars(const xmlChar *text)
{
    return (const char *)text;
}

/* ---- the tree ---- */

static bool is_named(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && !strcasecmp(chars(node->name), name);
}

static const xmlNode *find_child(const xmlNode *node, const char *name)
{
    for (const xmlNode *c = node ? node->children : NULL; c; c = c->next)
        if (is_named(c, name)) return c;
    return NULL;
}

/* Comments never reach the tree and adjacent texts are merged, so a text is one node. */
static const char *text_of(const xmlNode *node)
{
    const xmlNode *c = node ? node->children : NULL;
    return c && c->type == XML_TEXT_NODE ? chars(c->content) : NULL;
}

static const char *attribute_of(const xmlNode *node, const char *name)
{
    for (const xmlAttr *a = node ? node->properties : NULL; a; a = a->next)
        if (!strcasecmp(chars(a->name), name)) return a->children ? chars(a->children->content) : "";
    return NULL;
}

static int line_of(const xmlNode *node)
{
    return (int)xmlGetLineNo(node);
}

/* The next node in document order, and how deep it is. */
static const xmlNode *next_node(const xmlNode *node, int *depth)
{
    if (node->children && node->type == XML_ELEMENT_NODE) {
        ++*depth;
        return node->children;
    }
    while (*depth > 0 && !node->next) {
        --*depth;
        node = node->parent;
    }
    return *depth > 0 ? node->next : NULL;
}

static enum burst_err check_depth(const xmlNode *root, struct burst_error *reterr)
{
    int depth = 0;
    for (const xmlNode *node = root; node; node = next_node(node, &depth))
        if (depth >= NOTICE_DEPTH_MOST)
            return burst_fail(reterr, BURST_E_LIMIT, "line %d: more than %d elements within each other", line_of(node),
                              NOTICE_DEPTH_MOST);
    return BURST_OK;
}

/* ---- sayings ---- */

struct listing {
    struct said *said;
    struct burst_error *reterr;
    enum burst_err err;
};

static void put(struct listing *l, const char *group, const char *name, const char *text, const xmlNode *node)
{
    if (!l->err && text && name)
        l->err = said_put(l->said, (struct saying){group, name, text, 0, line_of(node)}, l->reterr);
}

/* <Param name= value=>, or the value as <Value> within it (VOEvent 2.0 allows both). */
static void put_param(struct listing *l, const char *group, const xmlNode *param)
{
    const char *name = attribute_of(param, "name"), *value = attribute_of(param, "value");
    char plain[49];
    if (!value) value = text_of(find_child(param, "Value"));
    if (l->err || !name) return;
    const struct saying *before = said_find(l->said, group, name);
    if (before && value && strcmp(before->text, value) != 0)
        l->err = burst_fail(l->reterr, BURST_E_FORMAT, "line %d: Param %s is given twice, with other values",
                            line_of(param), notice_plain(name, plain, sizeof plain));
    else
        put(l, group, name, value, param);
}

static void put_params(struct listing *l, const char *group, const xmlNode *parent)
{
    for (const xmlNode *c = parent ? parent->children : NULL; c && !l->err; c = c->next) {
        if (is_named(c, "Param")) put_param(l, group, c);
        if (!is_named(c, "Group") || group[0]) continue; /* VOEvent's groups do not nest */
        const char *name = attribute_of(c, "name");
        put_params(l, name && name[0] && name[0] != '/' ? name : "?", c);
    }
}

static void put_citation(struct listing *l, const xmlNode *c)
{
    struct said *said = l->said;
    const char *cite = attribute_of(c, "cite"), *ivorn = text_of(c);
    if (l->err || !ivorn) return;
    if (said->n_cited == NOTICE_CITED_MAX) {
        l->err =
            burst_fail(l->reterr, BURST_E_LIMIT, "line %d: more than %d EventIVORNs", line_of(c), NOTICE_CITED_MAX);
        return;
    }
    said->cited[said->n_cited].cite = cite ? cite : "";
    said->cited[said->n_cited].ivorn = ivorn;
    said->cited[said->n_cited++].line = line_of(c);
}

static void put_citations(struct listing *l, const xmlNode *citations)
{
    for (const xmlNode *c = citations ? citations->children : NULL; c; c = c->next) {
        if (is_named(c, "EventIVORN")) put_citation(l, c);
        if (is_named(c, "Description")) put(l, "/Citations", "Description", text_of(c), c);
    }
}

/* Every element below WhereWhen that has a text, and the two attributes that say what the numbers are. */
static void put_where(struct listing *l, const xmlNode *where)
{
    int depth = 0;
    const char *group = "/WhereWhen";
    for (const xmlNode *node = where; node && !l->err; node = next_node(node, &depth)) {
        if (node->type != XML_ELEMENT_NODE) continue;
        if (is_named(node, "AstroCoords")) put(l, group, "coord_system", attribute_of(node, "coord_system_id"), node);
        if (is_named(node, "Position2D")) put(l, group, "unit", attribute_of(node, "unit"), node);
        static const char *const TEXTS[] = {"ISOTime", "Name1", "Name2", "C1", "C2", "Error2Radius"};
        for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
            if (is_named(node, TEXTS[i])) put(l, group, TEXTS[i], text_of(node), node);
    }
}

static enum burst_err list_voevent(const xmlNode *root, struct said *said, struct burst_error *reterr)
{
    struct listing l = {said, reterr, BURST_OK};
    char plain[49];
    if (!is_named(root, "VOEvent"))
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "line %d: a <%s> is no VOEvent", line_of(root),
                          notice_plain(chars(root->name), plain, sizeof plain));
    put(&l, "/VOEvent", "ivorn", attribute_of(root, "ivorn"), root);
    put(&l, "/VOEvent", "role", attribute_of(root, "role"), root);
    const xmlNode *date = find_child(find_child(root, "Who"), "Date"), *why = find_child(root, "Why"),
                  *inference = find_child(why, "Inference");
    if (date) put(&l, "/Who", "Date", text_of(date), date);
    put_params(&l, "", find_child(root, "What"));
    const xmlNode *where = find_child(root, "WhereWhen");
    if (where) put_where(&l, where);
    if (inference) put(&l, "/Why", "probability", attribute_of(inference, "probability"), inference);
    put_citations(&l, find_child(root, "Citations"));
    return l.err;
}

/* ---- the parser ---- */

/* What the parser met: the first error is the cause, later ones follow from it. */
struct trouble {
    bool has_doctype, failed;
    int code, line, column;
    char text[160];
};

static void refuse_doctype(void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    xmlParserCtxt *parser = context;
    struct trouble *t = parser->_private;
    (void)name, (void)external, (void)system;
    t->has_doctype = true;
    t->line = parser->input ? parser->input->line : 0;
    xmlStopParser(parser);
}

static void note_error(void *context, xmlError *e)
{
    xmlParserCtxt *parser = context;
    struct trouble *t = parser->_private;
    if (t->failed || t->has_doctype || e->level < XML_ERR_ERROR) return;
    *t = (struct trouble){.failed = true, .code = e->code, .line = e->line, .column = e->int2};
    (void)notice_plain(e->message ? e->message : "not well-formed", t->text, sizeof t->text);
    size_t n = strlen(t->text);
    if (n && t->text[n - 1] == '?') t->text[n - 1] = 0; /* the message's own end of line */
}

static enum burst_err read_document(const xmlDoc *doc, const struct trouble *t, struct notice *ret_n,
                                    struct burst_error *reterr)
{
    struct said said = {.what = "Param"};
    if (t->has_doctype)
        return burst_fail(reterr, BURST_E_FORMAT, "XML, line %d: a document type declaration: a notice has none",
                          t->line);
    if (t->failed && t->code == XML_ERR_NO_MEMORY) return burst_fail(reterr, BURST_E_NOMEM, "XML: no memory");
    if (t->failed) return burst_fail(reterr, BURST_E_FORMAT, "XML, line %d:%d: %s", t->line, t->column, t->text);
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    if (!root) return burst_fail(reterr, BURST_E_FORMAT, "XML without an element");
    enum burst_err err = check_depth(root, reterr);
    if (!err) err = list_voevent(root, &said, reterr);
    return err ? err : notice_read_voevent(&said, ret_n, reterr);
}

enum burst_err notice_read_xml(const char *text, size_t n, struct notice *ret_n, struct burst_error *reterr)
{
    struct trouble trouble = {.failed = false};
    enum burst_err err = notice_gate_xml(text, n, reterr);
    if (err) return err;
    xmlParserCtxt *parser = xmlNewParserCtxt();
    if (!parser) return burst_fail(reterr, BURST_E_NOMEM, "XML: no memory");
    parser->_private = &trouble;
    parser->sax->internalSubset = refuse_doctype;
    parser->sax->serror = note_error;
    parser->sax->comment = NULL;
    parser->sax->processingInstruction = NULL;
    /* NOENT: with no declarations, it only has &amp; and its four sisters replaced in place. */
    const int options = XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_NOCDATA | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    xmlDoc *doc = xmlCtxtReadMemory(parser, text, (int)n, NULL, NULL, options);
    err = read_document(doc, &trouble, ret_n, reterr);
    xmlFreeDoc(doc);
    xmlFreeParserCtxt(parser);
    return err;
}
