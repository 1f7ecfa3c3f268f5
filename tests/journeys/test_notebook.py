import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [
    pytest.mark.timeout(170),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::nbformat.warnings.MissingIDFieldWarning"),
]

TRAIN = """
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
frame, labels = load_breast_cancer(return_X_y=True, as_frame=True)
model = GradientBoostingClassifier(n_estimators=20, random_state=0).fit(frame, labels)
"""
AUDIT = """
import excise
audit = excise.audit(model, current=frame, input="frame", budget_s=2, prepare_budget_s=2, force=True)
audit
"""
AGAIN = "print(audit.current.latency_ms.value, audit.outcome, audit.model.kind, audit.workload.rows)"
FROM_HERE = """
class Mine(GradientBoostingClassifier):
    pass
try:
    excise.audit(Mine(n_estimators=2).fit(frame, labels), current=frame)
except excise.core.errors.ModelError as error:
    print(error)
"""


def run(folder, *cells):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, timeout=150, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    return [cell.outputs for cell in client.execute().cells]


def test_a_notebook_audits_the_model_and_the_frame_that_it_holds(tmp_path):
    """The estimator itself goes in, the page comes out, and the values are those of every other report."""
    _, shown, printed, refused = run(tmp_path, TRAIN, AUDIT, AGAIN, FROM_HERE)
    page = next(one.data["text/html"] for one in shown if "iframe" in str(one.get("data", {}).get("text/html", "")))
    assert 'sandbox=""' in page
    assert "What does a caller notice?" in page
    bar = next(one for one in shown if one.output_type == "display_data")
    assert bar.data["text/plain"] == ""  # gone when the audit is
    milliseconds, _, kind, rows = printed[0].text.split()
    assert float(milliseconds) > 0
    assert (kind, rows) == ("sklearn", "569")
    assert "defined in this notebook" in refused[0].text
    assert (tmp_path / ".excise" / "objects").exists()
