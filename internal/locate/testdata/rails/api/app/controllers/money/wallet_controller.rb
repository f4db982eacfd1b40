class Money::WalletController < ActionController::Base
  def refill; end
  def show; end
  def update; end
end
