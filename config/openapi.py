"""Finishing of the OpenAPI document: what is the same for every operation is said once, here."""

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
SHARED = {
    "400": "请求的写法不对；errors 指明字段。",
    "401": "没有登录，或密钥无效、到期。",
    "403": "没有权限，或密钥没有这个 scope。",
    "404": "没有，或者您看不到。",
    "429": "请求太频繁；Retry-After 说等多久。",
}
ON_WRITING = {"409": "与当前状态或另一个请求冲突。", "413": "正文太大。", "415": "不支持这种内容类型。", "422": "内容不合格；errors 指明字段。"}
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 120},
    "description": "同一请求重复发送只做一次；重放的回答带 Idempotent-Replay: true。",
}
PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def only_api(endpoints):
    """The document tells of the REST interface; pages and the exchange between portals have their own descriptions."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


def add_problems(result, generator, request, public):
    """Every operation may answer with a problem; every POST takes an Idempotency-Key."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    for operations in result["paths"].values():
        for method, operation in operations.items():
            texts = SHARED if method == "get" else SHARED | ON_WRITING
            for status, text in texts.items():
                operation["responses"].setdefault(status, {"description": text, "content": PROBLEM})
            if method == "post":
                operation.setdefault("parameters", []).append(IDEMPOTENCY)
    return result
