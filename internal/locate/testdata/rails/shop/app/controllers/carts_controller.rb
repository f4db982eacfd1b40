class CartsController < ActionController::Base
  def add; end
  def show; end
end
