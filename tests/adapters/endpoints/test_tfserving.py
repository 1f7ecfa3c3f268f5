"""TensorFlow Serving's REST API, by the shapes that its documentation shows."""

import json

import pytest
from servers import running

from excise.adapters.models.conformance import check_predictor

PREDICT = "POST /v1/models/half_plus_two:predict"
NAMED = {
    "area": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}},
    "name": {"dtype": "DT_STRING", "tensor_shape": {"dim": [{"size": "-1"}, {"size": "1"}]}},
}
MATRIX = {"x": {"dtype": "DT_INT64", "tensor_shape": {"dim": [{"size": "-1"}, {"size": "2"}]}}}


def metadata(inputs):
    signature = {"inputs": inputs, "outputs": {"y": {"dtype": "DT_FLOAT", "tensor_shape": {}}}}
    return {
        "model_spec": {"name": "half_plus_two", "signature_name": "", "version": "1"},
        "metadata": {"signature_def": {"signature_def": {"serving_default": signature}}},
    }


def serving(inputs, predictions):
    """A server of one model; ``predictions(instances)`` are its answers."""

    def tell(handler, _body):
        if inputs is None:
            handler.reply(404, '{"error": "no metadata"}')
        else:
            handler.reply(200, json.dumps(metadata(inputs)))

    def predict(handler, body):
        try:
            handler.reply(200, json.dumps({"predictions": predictions(json.loads(body)["instances"])}))
        except (KeyError, TypeError) as error:
            handler.reply(400, json.dumps({"error": f"Failed to process element: 0 key: {error}"}))

    path = "/v1/models/half_plus_two"
    routes = {f"{place}/metadata": tell for place in (path, f"{path}/versions/1")}
    return running({**routes, f"{path}:predict": predict, f"{path}/versions/1:predict": predict})


def test_a_model_of_one_input_takes_rows_of_values(ask):
    with serving(MATRIX, lambda instances: [[one / 2 + 2 for one in row] for row in instances]) as server:
        predictor = ask(server.url, PREDICT)
        rows = [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
        assert predictor.predict(rows) == [[2.5, 3.0], [3.5, 4.0]]
        assert json.loads(server.seen[-1][3]) == {"instances": [[1, 2], [3, 4]]}
        assert predictor.signature["inputs"] == [{"name": "x", "dtype": "int64", "shape": [None, 2]}]
        check_predictor(predictor, batches=[[row] for row in rows], whole=rows, broken={"a wrong dtype": [{"a": "x"}]})


def test_a_model_of_several_inputs_takes_objects_and_may_answer_so(ask):
    with serving(NAMED, lambda instances: [{"y": one["area"], "of": one["name"]} for one in instances]) as server:
        predictor = ask(server.url, "POST /v1/models/half_plus_two/versions/1:predict")
        assert predictor.predict([{"area": 1.5, "name": "a"}]) == [{"y": 1.5, "of": ["a"]}]
        tf = ask(server.url, PREDICT)
        assert tf.predict([{"id": 9, "area": None, "name": "a"}])[0]["of"] == ["a"]
        assert server.seen[-1][3] == b'{"instances": [{"area": NaN, "name": ["a"]}]}'
        with pytest.raises(KeyError, match="missing column name"):
            tf.predict([{"area": 1.5}])


def test_without_metadata_an_instance_is_the_row(ask):
    with serving(None, lambda instances: [one["area"] for one in instances]) as server:
        predictor = ask(server.url, PREDICT)
        assert predictor.predict([{"area": 1.5}, {"area": 2}]) == [1.5, 2]
        assert predictor.predict([{"x": 1.5}]) == [None]
        assert predictor.failures() == {"400 Bad Request": 1}


def test_a_body_of_its_own_is_sent_as_it_is(ask):
    with serving(MATRIX, lambda instances: [sum(one["b64"]) for one in instances]) as server:
        predictor = ask(server.url, PREDICT, template={"body": '{"instances": [{"b64": {{values}}}]}'})
        assert predictor.predict([{"a": 1, "b": 2}, {"a": 3, "b": 4}]) == [3, 7]
        assert [path for _, path, _, _ in server.seen] == ["/v1/models/half_plus_two:predict"] * 2


def test_predictions_that_are_not_as_long_as_the_rows_are_a_failure(ask):
    with serving(MATRIX, lambda instances: instances * 2) as server:
        predictor = ask(server.url, PREDICT)
        assert predictor.predict([{"a": 1, "b": 2}, {"a": 3, "b": 4}]) == [None, None]
        assert predictor.failures() == {"no answer a row": 1}
