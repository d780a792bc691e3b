// Qt's controls with plain arrows, and a row of them that wraps where there is no room.
#pragma once

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLayout>
#include <QSpinBox>

#include <vector>

namespace headlight {

class ComboBox : public QComboBox {
    Q_OBJECT
public:
    using QComboBox::QComboBox;

    void showPopup() override;

    /// Qt's own does not follow setMinimumContentsLength().
    QSize minimumSizeHint() const override { return sizeHint(); }

Q_SIGNALS:
    /// The list is about to be seen.
    void opening();

protected:
    void paintEvent(QPaintEvent* event) override;
};

/// Lists these names unless it does so, and picks one, -1 for none, all without a signal.
void fillChoice(QComboBox& box, const QStringList& names, int chosen);

class SpinBox : public QSpinBox {
    Q_OBJECT
public:
    using QSpinBox::QSpinBox;

protected:
    void paintEvent(QPaintEvent* event) override;
};

class DoubleSpinBox : public QDoubleSpinBox {
    Q_OBJECT
public:
    using QDoubleSpinBox::QDoubleSpinBox;

protected:
    void paintEvent(QPaintEvent* event) override;
};

/// Widgets one behind the other, on as many lines as the width makes necessary.
class FlowLayout : public QLayout {
public:
    using QLayout::QLayout;
    ~FlowLayout() override;

    void addItem(QLayoutItem* item) override;
    int count() const override;
    QLayoutItem* itemAt(int index) const override;
    QLayoutItem* takeAt(int index) override;
    Qt::Orientations expandingDirections() const override { return {}; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    QSize sizeHint() const override;
    QSize minimumSize() const override;
    void setGeometry(const QRect& rect) override;

private:
    /// Places all items, or only measures; returns the height.
    int arrange(const QRect& rect, bool place) const;

    std::vector<QLayoutItem*> m_items;
};

} // namespace headlight
